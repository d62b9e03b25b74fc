import { renderPrompt } from './prompt-template.js'
import type { Workflow, WorkflowOp } from './workflow.js'

/** What a model answered to an op, or why there is no answer. */
type OpCalled<Detail> =
  | { readonly ok: true; readonly text: string; readonly model: string; readonly detail: Detail }
  | { readonly ok: false; readonly reason: string }

export type OpResult<Detail> =
  | { readonly status: 'done'; readonly text: string; readonly model: string; readonly detail: Detail }
  | { readonly status: 'failed'; readonly reason: string }
  /** It was not called, because these inputs of it have no output. */
  | { readonly status: 'skipped'; readonly because: readonly string[] }

/** Calls a model. `preferred` is the model that answered an input of the same tier; it is a wish. */
export type CallOp<Detail> = (
  op: WorkflowOp,
  prompt: string,
  preferred: string | undefined,
) => Promise<OpCalled<Detail>>

/**
 * Runs a checked workflow: each op as soon as its inputs are done, so that independent ones run at the same time. An op
 * that fails fails nothing but what depends on it. What `call` throws is thrown, after every op has ended.
 */
export async function runWorkflow<Detail>(
  workflow: Workflow,
  input: string,
  call: CallOp<Detail>,
): Promise<ReadonlyMap<string, OpResult<Detail>>> {
  const running = new Map<string, Promise<OpResult<Detail>>>()
  const results = new Map<string, OpResult<Detail>>()
  const run = async (op: WorkflowOp): Promise<OpResult<Detail>> => {
    await Promise.all(op.inputOps.map((name) => running.get(name)))
    const result = await runOp(op, workflow, input, results, call)
    results.set(op.name, result)
    return result
  }
  // Every op comes after its inputs, so what it waits for has begun.
  for (const op of workflow.ops.values()) running.set(op.name, run(op))
  for (const settled of await Promise.allSettled(running.values())) {
    if (settled.status === 'rejected') throw settled.reason
  }
  return new Map(
    [...workflow.ops.keys()].flatMap((name) => {
      const result = results.get(name)
      return result === undefined ? [] : [[name, result] as const]
    }),
  )
}

async function runOp<Detail>(
  op: WorkflowOp,
  { ops }: Workflow,
  input: string,
  results: ReadonlyMap<string, OpResult<Detail>>,
  call: CallOp<Detail>,
): Promise<OpResult<Detail>> {
  const without = op.inputOps.filter((name) => results.get(name)?.status !== 'done')
  if (without.length > 0) return { status: 'skipped', because: without }
  const done = [...results].flatMap(([name, result]) => (result.status === 'done' ? [{ name, ...result }] : []))
  const prompt = renderPrompt(op, input, new Map(done.map(({ name, text }) => [name, text])))
  if (prompt === undefined) return { status: 'failed', reason: 'its prompt is too long with the outputs in it' }
  const sameTier = op.inputOps.filter((name) => ops.get(name)?.tier === op.tier)
  const preferred = done.find(({ name }) => sameTier.includes(name))?.model
  const called = await call(op, prompt, preferred)
  if (!called.ok) return { status: 'failed', reason: called.reason }
  return { status: 'done', text: called.text, model: called.model, detail: called.detail }
}

/** The output of the whole: that of its end op; of several, each under its name. Null if one of them has none. */
export function finalOutput({ endOps }: Workflow, results: ReadonlyMap<string, OpResult<unknown>>): string | null {
  const texts: string[] = []
  for (const name of endOps) {
    const result = results.get(name)
    if (result?.status !== 'done') return null
    texts.push(endOps.length === 1 ? result.text : `${name}:\n${result.text}`)
  }
  return texts.join('\n\n')
}
