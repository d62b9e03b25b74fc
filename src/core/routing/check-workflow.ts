import { namesIn } from './prompt-template.js'
import { INPUT_NAME, WORKFLOW_LIMITS, type WorkflowFault, type WorkflowOp, type WorkflowResult } from './workflow.js'

export type ReadWorkflow = {
  readonly startOps: readonly string[]
  readonly endOps: readonly string[]
  readonly ops: readonly WorkflowOp[]
}

type Add = (at: string, message: string) => void
type Ops = ReadonlyMap<string, WorkflowOp>
type Direction = 'inputOps' | 'outputOps'

/**
 * Whether the ops make a graph that can run: every name is known, both directions of each edge are there, there is no
 * cycle, every op is on a way from a start to an end, and a prompt names only what has run before.
 */
export function checkWorkflow({ startOps, endOps, ops: list }: ReadWorkflow): WorkflowResult {
  const faults: WorkflowFault[] = []
  const add: Add = (at, message) => {
    if (faults.length < WORKFLOW_LIMITS.faultsMax) faults.push({ at, message })
  }
  const ops = new Map(list.map((op) => [op.name, op]))
  checkList('start_ops', startOps, ops, add)
  checkList('end_ops', endOps, ops, add)
  for (const op of list) checkEdges(op, ops, add)
  // What follows would only repeat in other words what is wrong already.
  if (faults.length > 0) return { ok: false, faults }

  const ordered = inOrder(list, ops, add)
  if (ordered === undefined) return { ok: false, faults }
  checkWays(startOps, endOps, ops, add)
  checkPrompts(ordered, add)
  if (faults.length > 0) return { ok: false, faults }
  return { ok: true, workflow: { startOps, endOps, ops: new Map(ordered.map((op) => [op.name, op])) } }
}

function checkList(at: string, names: readonly string[], ops: Ops, add: Add): void {
  if (names.length === 0) add(at, 'must name an op at least')
  for (const name of names) if (!ops.has(name)) add(at, `names '${name}', which is no op`)
}

function checkEdges(op: WorkflowOp, ops: Ops, add: Add): void {
  const check = (at: string, names: readonly string[], back: Direction, member: string) => {
    for (const name of names) {
      const other = ops.get(name)
      if (other === undefined) add(at, `names '${name}', which is no op`)
      else if (!other[back].includes(op.name)) add(at, `names '${name}', whose ${member} do not name '${op.name}'`)
    }
  }
  check(`ops.${op.name}.input_ops`, op.inputOps, 'outputOps', 'output_ops')
  check(`ops.${op.name}.output_ops`, op.outputOps, 'inputOps', 'input_ops')
}

/** The ops, each after its inputs (Kahn's algorithm); undefined, and a fault, if there is a cycle. */
function inOrder(list: readonly WorkflowOp[], ops: Ops, add: Add): readonly WorkflowOp[] | undefined {
  const waitsFor = new Map(list.map(({ name, inputOps }) => [name, inputOps.length]))
  const ordered = list.filter(({ inputOps }) => inputOps.length === 0)
  // The list grows while it is walked.
  for (const { outputOps } of ordered) {
    for (const name of outputOps) {
      const left = (waitsFor.get(name) ?? 0) - 1
      waitsFor.set(name, left)
      const op = ops.get(name)
      if (left === 0 && op !== undefined) ordered.push(op)
    }
  }
  if (ordered.length === list.length) return ordered
  const stuck = list.filter((op) => !ordered.includes(op)).map(({ name }) => `'${name}'`)
  add('ops', `has a cycle: ${stuck.join(', ')} wait for each other`)
  return undefined
}

function checkWays(startOps: readonly string[], endOps: readonly string[], ops: Ops, add: Add): void {
  const started = reached(startOps, ops, 'outputOps')
  const ending = reached(endOps, ops, 'inputOps')
  for (const { name, inputOps } of ops.values()) {
    if (startOps.includes(name) && inputOps.length > 0) add(`ops.${name}.input_ops`, 'must be empty for a start op')
    if (!started.has(name)) add(`ops.${name}`, 'is reached from no start op')
    if (!ending.has(name)) add(`ops.${name}`, 'leads to no end op')
  }
}

function reached(from: readonly string[], ops: Ops, direction: Direction): ReadonlySet<string> {
  const seen = new Set(from)
  // The set grows while it is walked.
  for (const name of seen) for (const next of ops.get(name)?.[direction] ?? []) seen.add(next)
  return seen
}

function checkPrompts(ordered: readonly WorkflowOp[], add: Add): void {
  const before = new Map<string, ReadonlySet<string>>()
  for (const { name, prompt, inputOps } of ordered) {
    const ancestors = new Set(inputOps.flatMap((input) => [input, ...(before.get(input) ?? [])]))
    before.set(name, ancestors)
    for (const named of namesIn(prompt)) {
      if (named === INPUT_NAME || ancestors.has(named)) continue
      add(`ops.${name}.prompt`, `names '${named}', which is no op that always runs before '${name}'`)
    }
  }
}
