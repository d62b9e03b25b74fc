import { listOf, type Members, membersOf, textOf } from '../../../core/chat/index.js'
import { numberFromPico, picoFromDecimal } from '../../../core/pricing/index.js'
import {
  type Budget,
  type CallOp,
  createBudget,
  finalOutput,
  type OpResult,
  readWorkflow,
  runWorkflow,
  type Tier,
  type Workflow,
  type WorkflowOp,
} from '../../../core/routing/index.js'
import { AppError } from '../../../platform/errors.js'
import type { RecordedCall } from '../account/account.js'
import { NO_CACHE } from '../cache/cache-wish.js'
import type { ChatCall, ChatRequest, Served } from '../call.js'
import { readYaml } from '../config/read-yaml.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** Who runs a workflow, and until when it is of use. */
export type WorkflowCaller = Pick<ChatCall, 'projectId' | 'keyId' | 'profile' | 'signal' | 'traceparent'>

/** What is asked of one call of a workflow, beside its request. */
export type OpWish = {
  readonly budget: Budget
  readonly tier: Tier | undefined
  /** The backend that answered an input of the same tier. */
  readonly preferred: string | undefined
  readonly onRecorded: (row: RecordedCall) => void
}

export type WorkflowDeps = {
  readonly clock: () => number
  readonly attemptsMax: number
  readonly workflowMsMax: number
  readonly chat: (call: ChatRequest, wish: OpWish) => Promise<Served>
}

type OpDetail = { readonly tier: number; readonly attempts: number }

export type WorkflowAnswer = {
  /** The text of each op that was answered. */
  readonly outputs: Readonly<Record<string, string>>
  readonly routing: Readonly<Record<string, { readonly model: string } & OpDetail>>
  /** USD, of each op that was called, failed ones included. */
  readonly costs: Readonly<Record<string, number>>
  readonly total_cost_usd: number
  readonly total_ms: number
  readonly final_output: string | null
  /** Why each op that has no output has none. */
  readonly failed: Readonly<Record<string, string>>
}

/**
 * Runs a workflow: each op is a call with a usage row of its own, and all of them share one deadline and one budget of
 * attempts. Throws `validation-failed` with every fault, before anything runs, and `upstream-failed` if not one op
 * was answered.
 */
export async function serveWorkflow(
  deps: WorkflowDeps,
  caller: WorkflowCaller,
  { input, text }: { readonly input: string; readonly text: string },
): Promise<WorkflowAnswer> {
  const workflow = parse(text)
  const startedMs = deps.clock()
  // One attempt for each op, and as many fallbacks for all of them as one call has.
  const budget = createBudget(workflow.ops.size + deps.attemptsMax, startedMs + deps.workflowMsMax)
  const costs = new Map<string, bigint>()
  const results = await runWorkflow(workflow, input, callOp(deps, caller, budget, costs))
  const failed = Object.fromEntries([...results].flatMap(([name, result]) => failureOf(name, result)))
  const done = [...results].flatMap(([name, result]) => (result.status === 'done' ? [{ name, ...result }] : []))
  if (done.length === 0) throw new AppError('upstream-failed', `No op was answered: ${JSON.stringify(failed)}.`)
  return {
    outputs: Object.fromEntries(done.map(({ name, text: output }) => [name, output])),
    routing: Object.fromEntries(done.map(({ name, model, detail }) => [name, { model, ...detail }])),
    costs: Object.fromEntries([...costs].map(([name, pico]) => [name, numberFromPico(pico)])),
    total_cost_usd: numberFromPico([...costs.values()].reduce((sum, pico) => sum + pico, 0n)),
    total_ms: Math.round(deps.clock() - startedMs),
    final_output: finalOutput(workflow, results),
    failed,
  }
}

function parse(text: string): Workflow {
  const read = readYaml(text, GATEWAY_LIMITS.workflowBytesMax, GATEWAY_LIMITS.workflowTokensMax)
  if (!read.ok) throw refused(read.faults.map((message) => ({ at: '', message })))
  const result = readWorkflow(read.value)
  if (!result.ok) throw refused(result.faults)
  return result.workflow
}

function refused(faults: readonly { readonly at: string; readonly message: string }[]): AppError {
  const errors = faults.map(({ at, message }) => ({
    pointer: `/workflow${at === '' ? '' : `/${at}`}`.replaceAll('.', '/'),
    message,
  }))
  return new AppError('validation-failed', 'The workflow cannot run.', { errors })
}

function callOp(
  deps: WorkflowDeps,
  caller: WorkflowCaller,
  budget: Budget,
  costs: Map<string, bigint>,
): CallOp<OpDetail> {
  return async (op, prompt, preferred) => {
    const onRecorded = ({ cost }: RecordedCall) => costs.set(op.name, picoFromDecimal(cost) ?? 0n)
    try {
      const { answer, headers } = await deps.chat(requestOf(op, prompt, caller), {
        budget,
        tier: op.tier,
        preferred,
        onRecorded,
      })
      const text = answer.kind === 'whole' ? contentOf(answer.body) : ''
      const detail = { tier: Number(headers['X-LLM-Router-Tier']), attempts: Number(headers['X-LLM-Router-Attempts']) }
      return { ok: true, text, model: headers['X-LLM-Router-Model'] ?? '', detail }
    } catch (error) {
      // What is expected fails this op alone; anything else fails the request.
      if (error instanceof AppError) return { ok: false, reason: error.message }
      throw error
    }
  }
}

function requestOf(op: WorkflowOp, prompt: string, caller: WorkflowCaller): ChatRequest {
  const body: Members = {
    model: op.model ?? 'auto',
    messages: [{ role: 'user', content: prompt }],
    ...(op.maxTokens === undefined ? {} : { max_tokens: op.maxTokens }),
  }
  return {
    ...{ projectId: caller.projectId, keyId: caller.keyId, profile: caller.profile, signal: caller.signal },
    ...{ surface: 'openai', body, requestedModel: op.model, isStream: false, wantsUsage: false },
    ...{ wantsReceipt: false, cacheWish: NO_CACHE, passedHeaders: {}, traceparent: caller.traceparent },
  }
}

const contentOf = (body: string): string => {
  const [choice] = listOf(membersOf(JSON.parse(body))['choices'])
  return textOf(membersOf(membersOf(choice)['message'])['content'])
}

function failureOf(name: string, result: OpResult<OpDetail>): [string, string][] {
  if (result.status === 'done') return []
  return [[name, result.status === 'failed' ? result.reason : `not called, for want of ${result.because.join(', ')}`]]
}
