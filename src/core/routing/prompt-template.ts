import { INPUT_NAME, WORKFLOW_LIMITS, type WorkflowOp } from './workflow.js'

const PLACE = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_-]*)[ \t]*\}\}/g

/** The names that a prompt has places for, each once. Braces around anything else are plain text. */
export const namesIn = (prompt: string): ReadonlySet<string> =>
  new Set([...prompt.matchAll(PLACE)].map(([, name = '']) => name))

/**
 * The prompt of an op with the input and the outputs in their places; undefined if it gets too long. The outputs of its
 * input ops that it has no place for come before it, labelled, and a start op without a place for the input is given the
 * input likewise. What is put in is not looked at for places again.
 */
export function renderPrompt(
  op: Pick<WorkflowOp, 'prompt' | 'inputOps'>,
  input: string,
  outputs: ReadonlyMap<string, string>,
): string | undefined {
  const textOf = (name: string): string => (name === INPUT_NAME ? input : (outputs.get(name) ?? ''))
  const placed = namesIn(op.prompt)
  const given = op.inputOps.length > 0 ? op.inputOps : [INPUT_NAME]
  const unplaced = given.filter((name) => !placed.has(name))
  const before = unplaced.map((name) => `${name}:\n${textOf(name)}\n\n`)
  // Counted before anything is built: a prompt may name a long output many times.
  let characters = op.prompt.length + before.reduce((sum, text) => sum + text.length, 0)
  for (const [, name = ''] of op.prompt.matchAll(PLACE)) characters += textOf(name).length
  if (characters > WORKFLOW_LIMITS.promptCharactersMax) return undefined
  return `${before.join('')}${op.prompt.replace(PLACE, (_, name: string) => textOf(name))}`
}
