import type { z } from '@hono/zod-openapi'

type Issue = z.core.$ZodRawIssue
type IssueOf<Code extends Issue['code']> = Extract<Issue, { readonly code: Code }>

/** What is wrong with a value, as what was expected of it. The value is never repeated; names of members may be. */
export function wordsOf(issue: Issue): string {
  return (WORDS[issue.code] as (issue: Issue) => string)(issue)
}

const WORDS: { readonly [Code in Issue['code']]: (issue: IssueOf<Code>) => string } = {
  invalid_type: ({ expected, input }) => (input === undefined ? 'is required' : `must be ${nameOf(expected)}`),
  invalid_value: ({ values, input }) =>
    input === undefined
      ? 'is required'
      : `must be ${values.length > 1 ? 'one of ' : ''}${values.map(String).join(', ')}`,
  invalid_union: ({ errors, input }) => (input === undefined ? 'is required' : oneOf(errors)),
  invalid_format: ({ format }) => `must be ${FORMATS[format] ?? 'in the form that the document shows'}`,
  too_small: ({ origin, minimum, inclusive }) => bounded(origin, minimum, inclusive ? 'at least' : 'more than'),
  too_big: ({ origin, maximum, inclusive }) => bounded(origin, maximum, inclusive ? 'at most' : 'less than'),
  not_multiple_of: ({ divisor }) => `must be a multiple of ${divisor}`,
  unrecognized_keys: ({ keys }) => `has members that are not known here: ${keys.join(', ')}`,
  invalid_key: () => 'has a member whose name is not allowed',
  invalid_element: () => 'has a member that is not allowed',
  custom: () => 'is not allowed',
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
}
const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  datetime: 'a time like 2026-01-31T12:00:00Z',
  date: 'a date like 2026-01-31',
}
/** What is counted of a value that has a size; of any other it is the value itself. */
const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  record: ['member', 'members'],
}

const nameOf = (expected: string): string => TYPES[expected] ?? 'of another type'

function bounded(origin: string, limit: number | bigint, relation: string): string {
  const counted = COUNTED[origin]
  if (counted === undefined) return `must be ${relation} ${limit}`
  if (limit === 1 && relation === 'at least') return 'must not be empty'
  return `must have ${relation} ${limit} ${counted[Number(limit) === 1 ? 0 : 1]}`
}

/** The types that a union takes; if the type is right, what is wrong with it as one of that type. */
function oneOf(errors: readonly (readonly z.core.$ZodIssue[])[]): string {
  const first = errors.map(([issue]) => issue)
  const right = first.find((issue) => issue !== undefined && (issue.code !== 'invalid_type' || issue.path.length > 0))
  if (right !== undefined) return right.message
  const names = first.map((issue) => (issue?.code === 'invalid_type' ? nameOf(issue.expected) : ''))
  return `must be ${[...new Set(names)].join(' or ')}`
}
