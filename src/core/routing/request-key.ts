import { type QuestionForm, questionForm } from './question-form.js'

/** A larger request is not cached: it would hardly come twice, and its key would cost more than it saves. */
export const keyedCharsMax = 262_144
const keyedLevelsMax = 128

/** What a cached answer belongs to. `body` is the request as it was parsed, every parameter in it. */
export type Keyed = {
  readonly projectId: string
  /** What else decides its answer: the route by which it came, whether it streams, who may answer. */
  readonly scope: Readonly<Record<string, unknown>>
  readonly body: Readonly<Record<string, unknown>>
}
/**
 * Texts to be hashed. `exact` is equal for equal requests of one project only; `similar` also for requests that ask the
 * same in other words, and `words` are what the Jaccard measure compares there.
 */
export type RequestKeys = {
  readonly exact: string
  readonly similar?: { readonly key: string; readonly words: readonly string[] }
}

/**
 * The keys of a request, or undefined if it must not be cached: larger than `keyedCharsMax`, deeper than any request
 * needs, or with an integer beyond 2^53-1, of which two may have been read as one. Every parameter counts, those too
 * that are unknown here; a member's place in its object does not (RFC 8785).
 */
export function requestKeys({ projectId, scope, body }: Keyed): RequestKeys | undefined {
  const parts = { projectId, scope }
  const exact = canonicalText({ ...parts, body })
  if (exact === undefined) return undefined
  const question = lastQuestion(body)
  if (question === undefined) return { exact }
  const rest = canonicalText({ ...parts, body: question.rest, form: question.form.key })
  return rest === undefined ? { exact } : { exact, similar: { key: `similar ${rest}`, words: question.form.words } }
}

/** The last message, if it is a user's text, and the request without it. Tools make answers that must not be mixed up. */
function lastQuestion(body: Keyed['body']): { readonly form: QuestionForm; readonly rest: unknown } | undefined {
  const { messages, tools, functions } = body
  if (!Array.isArray(messages) || tools !== undefined || functions !== undefined) return undefined
  const last: unknown = messages.at(-1)
  if (typeof last !== 'object' || last === null || !('role' in last) || last.role !== 'user') return undefined
  const text = 'content' in last ? plainText(last.content) : undefined
  const form = text === undefined ? undefined : questionForm(text)
  return form && { form, rest: { ...body, messages: [...messages.slice(0, -1), { ...last, content: null }] } }
}

/** A text, or the text of the only part. */
function plainText(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  const part: unknown = Array.isArray(content) && content.length === 1 ? content[0] : undefined
  if (typeof part !== 'object' || part === null || !('text' in part) || Object.keys(part).length !== 2) return undefined
  return typeof part.text === 'string' ? part.text : undefined
}

/** JSON with sorted members, of at most `keyedCharsMax` characters. */
function canonicalText(value: unknown): string | undefined {
  const budget = { chars: keyedCharsMax }
  return write(value, 0, budget)
}

function write(value: unknown, level: number, budget: { chars: number }): string | undefined {
  if (value === null || typeof value !== 'object') return writeScalar(value, budget)
  if (level >= keyedLevelsMax) return undefined
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const parts: string[] = []
  for (const [name, member] of Array.isArray(value) ? value.map((item) => ['', item] as const) : sorted(value)) {
    if (member === undefined) continue
    const text = write(member, level + 1, budget)
    const label = Array.isArray(value) ? '' : writeScalar(name, budget)
    if (text === undefined || label === undefined) return undefined
    parts.push(Array.isArray(value) ? text : `${label}:${text}`)
  }
  budget.chars -= 2 + parts.length
  return budget.chars < 0 ? undefined : `${open}${parts.join(',')}${close}`
}

const sorted = (value: object): [string, unknown][] =>
  Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))

function writeScalar(value: unknown, budget: { chars: number }): string | undefined {
  if (
    typeof value === 'number' &&
    (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
  ) {
    return undefined
  }
  // Measured before it is escaped, so that a text of many megabytes is not written only to be thrown away.
  if (typeof value === 'string' && value.length > budget.chars) return undefined
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) return undefined
  budget.chars -= text.length
  return budget.chars < 0 ? undefined : text
}
