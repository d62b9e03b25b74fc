import type { Tier } from './backend.js'
import { checkWorkflow } from './check-workflow.js'
import { INPUT_NAME, WORKFLOW_LIMITS, type WorkflowFault, type WorkflowOp, type WorkflowResult } from './workflow.js'

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/
const MEMBERS = ['start_ops', 'end_ops', 'ops']
const OP_MEMBERS = ['prompt', 'tier', 'model', 'max_tokens', 'input_ops', 'output_ops']

type Add = (at: string, message: string) => void
type Members = Readonly<Record<string, unknown>>

/** Reads a workflow from plain values (parsed YAML or JSON). Every fault is told, up to `faultsMax`; nothing has run then. */
export function readWorkflow(value: unknown): WorkflowResult {
  const faults: WorkflowFault[] = []
  const add: Add = (at, message) => {
    if (faults.length < WORKFLOW_LIMITS.faultsMax) faults.push({ at, message })
  }
  if (!isObject(value)) return { ok: false, faults: [{ at: '', message: 'must be an object' }] }
  refuseUnknown(value, MEMBERS, '', add)
  const startOps = names(value['start_ops'], 'start_ops', add)
  const endOps = names(value['end_ops'], 'end_ops', add)
  const ops = readOps(value['ops'], add)
  if (faults.length > 0) return { ok: false, faults }
  return checkWorkflow({ startOps, endOps, ops })
}

function readOps(value: unknown, add: Add): readonly WorkflowOp[] {
  if (!isObject(value)) {
    add('ops', 'must be an object of ops by their names')
    return []
  }
  const entries = Object.entries(value)
  if (entries.length === 0) add('ops', 'must hold an op at least')
  if (entries.length > WORKFLOW_LIMITS.opsMax) {
    add('ops', `may hold ${WORKFLOW_LIMITS.opsMax} ops, not ${entries.length}`)
    return []
  }
  return entries.flatMap(([name, op]) => {
    const at = `ops.${shown(name)}`
    const isName = NAME.test(name) && name.length <= WORKFLOW_LIMITS.nameCharactersMax && name !== INPUT_NAME
    if (!isName) {
      add(
        at,
        `must have a name of letters, digits, _ and -, which begins with a letter or _ and is not '${INPUT_NAME}'`,
      )
    }
    if (isObject(op)) return [readOp(name, op, at, add)]
    add(at, 'must be an object')
    return []
  })
}

function readOp(name: string, op: Members, at: string, add: Add): WorkflowOp {
  refuseUnknown(op, OP_MEMBERS, at, add)
  const { prompt, tier, model, max_tokens: maxTokens } = op
  const longest = WORKFLOW_LIMITS.templateCharactersMax
  const isPrompt = typeof prompt === 'string' && prompt.length > 0 && prompt.length <= longest
  if (!isPrompt) add(`${at}.prompt`, `must be a text of 1 to ${longest} characters`)
  if (!isAbsent(tier) && !isTier(tier)) add(`${at}.tier`, 'must be 1, 2 or 3')
  const isModel = typeof model === 'string' && model.length > 0 && model.length <= 256
  if (!isAbsent(model) && !isModel) add(`${at}.model`, 'must be a text of 1 to 256 characters')
  const isCount = typeof maxTokens === 'number' && Number.isInteger(maxTokens) && maxTokens >= 1
  if (!isAbsent(maxTokens) && !(isCount && maxTokens <= WORKFLOW_LIMITS.maxTokensMax)) {
    add(`${at}.max_tokens`, `must be a whole number of 1 to ${WORKFLOW_LIMITS.maxTokensMax}`)
  }
  return {
    name,
    prompt: isPrompt ? prompt : '',
    tier: isTier(tier) ? tier : undefined,
    model: isModel ? model : undefined,
    maxTokens: isCount ? maxTokens : undefined,
    inputOps: names(op['input_ops'], `${at}.input_ops`, add),
    outputOps: names(op['output_ops'], `${at}.output_ops`, add),
  }
}

/** A list of names without repetition; absent is empty. */
function names(value: unknown, at: string, add: Add): readonly string[] {
  if (isAbsent(value)) return []
  const isList = Array.isArray(value) && value.length <= WORKFLOW_LIMITS.opsMax
  if (!isList || !value.every((name) => typeof name === 'string')) {
    add(at, `must be a list of at most ${WORKFLOW_LIMITS.opsMax} names of ops`)
    return []
  }
  const list: readonly string[] = value
  for (const [index, name] of list.entries()) {
    if (list.indexOf(name) !== index) add(at, `names '${shown(name)}' twice`)
  }
  return list
}

function refuseUnknown(value: Members, known: readonly string[], at: string, add: Add): void {
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) add(at === '' ? shown(name) : `${at}.${shown(name)}`, 'is unknown')
  }
}

const isTier = (value: unknown): value is Tier => value === 1 || value === 2 || value === 3
const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const shown = (text: string): string => (text.length <= 64 ? text : `${text.slice(0, 64).toWellFormed()}…`)
