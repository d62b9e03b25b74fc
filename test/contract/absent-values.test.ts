import { afterAll, describe, expect, test } from 'vitest'
import { faultsOf } from './answer-schemas.js'
import { keyFor, openContract } from './open-contract.js'
import type { JsonSchema, Operation } from './operations.js'
import { refusedSampleOf, sampleOf } from './samples.js'

const contract = await openContract()
afterAll(() => contract.close())

const { document, operations } = contract
type Path = readonly (string | number)[]

/** Every member that the document speaks of, however deep: the path to it in a body. */
function membersOf(schema: JsonSchema, path: Path = []): Path[] {
  const { $ref, anyOf, properties, items } = schema
  if (typeof $ref === 'string') return membersOf(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, path)
  if (Array.isArray(anyOf)) return anyOf.flatMap((one: JsonSchema) => membersOf(one, path))
  const inItems = items === undefined ? [] : membersOf(items as JsonSchema, [...path, 0])
  const inMembers = Object.entries((properties ?? {}) as Record<string, JsonSchema>).flatMap(([name, member]) => [
    [...path, name],
    ...membersOf(member, [...path, name]),
  ])
  return [...inItems, ...inMembers]
}

/** A copy of a body with another value at a path; what is missing on the way there is made. */
function withValue(body: unknown, [first, ...rest]: Path, value: unknown): unknown {
  if (first === undefined) return value
  if (Array.isArray(body)) return body.with(Number(first), withValue(body[Number(first)], rest, value))
  const inside = (body as Readonly<Record<string, unknown>> | undefined)?.[first]
  return { ...(body as object), [first]: withValue(inside, rest, value) }
}

const bodySchemaOf = ({ declared }: Operation): JsonSchema =>
  declared.requestBody?.content['application/json']?.schema ?? {}
const withBody = operations.filter(({ declared }) => declared.requestBody !== undefined)

describe.each(withBody)('$name', (operation) => {
  const schema = bodySchemaOf(operation)

  test.each([[], ...membersOf(schema)].map((path) => ({ path, pointer: `/${path.join('/')}` })))(
    'takes null and an empty text for $pointer exactly where the document says so',
    async ({ path }) => {
      const sample = await refusedSampleOf(contract, operation.name)
      for (const value of [null, '']) {
        const body = withValue(sample.json, path, value)
        const answer = await contract.ask(sample.path, {
          method: operation.method,
          key: keyFor(operation, contract.ours),
          body: JSON.stringify(body),
          headers: { 'Content-Type': 'application/json' },
        })
        const isDeclared = faultsOf(document, schema, body).length === 0
        // In a batch each item has its own result.
        const { results = [answer] } = (answer.json ?? {}) as { results?: { status: number }[] }
        const isRefused = results[0]?.status === 422
        expect([value, isDeclared, isRefused ? answer.text : '']).toEqual([
          value,
          !isRefused,
          isDeclared ? '' : expect.stringContaining('validation-failed'),
        ])
      }
    },
  )
})

const queries = operations.flatMap((operation) =>
  operation.parameters.flatMap((parameter) => (parameter.in === 'query' ? [{ operation, parameter }] : [])),
)

test.each(queries)('$operation.name takes an empty $parameter.name, and says so', async ({ operation, parameter }) => {
  // What is written here is new: under an id that was written before, other contents would be a conflict.
  const prepare = operation.method === 'GET' ? refusedSampleOf : sampleOf
  const sample = await prepare(contract, operation.name)
  const [path = '', sent = ''] = sample.path.split('?')
  const query = new URLSearchParams(sent)
  query.set(parameter.name, '')
  const answer = await contract.ask(`${path}?${query}`, {
    method: operation.method,
    key: keyFor(operation, contract.ours),
    ...(sample.json === undefined ? {} : { json: sample.json }),
  })
  // An empty value is an absent one, and some may not be absent.
  expect([parameter.allowEmptyValue, answer.status]).toEqual([true, parameter.required ? 422 : 200])
})
