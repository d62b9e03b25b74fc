import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { expectProblem } from './expect-problem.js'
import { BODY_BYTES_MAX, keyFor, openContract, type RequestBody } from './open-contract.js'
import { methodsAt, ownMethodsAt } from './operations.js'
import { askWith, expectDeclared } from './refused-samples.js'
import { refusedSampleOf, SAMPLES, sampleOf } from './samples.js'
import { withParameter, wrongValuesOf } from './wrong-parameters.js'

const contract = await openContract()
afterAll(() => contract.close())

const { ours, operations } = contract
/** The operations whose bodies profit most from being compressed. */
const GZIPPED = [
  'POST /api/v1/log',
  'POST /api/v1/log/batch',
  'POST /api/v1/aliases/bulk_upsert',
  'PUT /api/v1/lockfile',
]
const withBody = operations.filter((operation) => operation.declared.requestBody !== undefined)

test('every operation has a sample, and every sample an operation', () => {
  expect(operations.length).toBeGreaterThan(30)
  expect(Object.keys(SAMPLES).sort()).toEqual(operations.map((operation) => operation.name).sort())
})

describe.concurrent.each(operations)('$name', (operation) => {
  test('at its address, refuses the methods that are not there, and names those that are', async () => {
    const { path } = await refusedSampleOf(contract, operation.name)
    const served = methodsAt(operations, path)
    const own = ownMethodsAt(operations, path)
    expect(served).toContain(operation.method)
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].filter((one) => !served.includes(one))) {
      const answer = await contract.ask(path, { method, key: ours.key })
      expectProblem(answer, 'method-not-allowed')
      expect(answer.headers.get('allow')?.split(', ').sort()).toEqual((own.length > 0 ? own : served).sort())
    }
  })

  test('is the same with a slash at its end', async () => {
    const sample = await sampleOf(contract, operation.name)
    const [path = '', query] = sample.path.split('?')
    const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
    const answer = await askWith(
      contract,
      operation,
      { ...sample, path: query === undefined ? other : `${other}?${query}` },
      {},
    )
    expect([answer.status, answer.headers.get('location')]).toEqual([sample.status, null])
  })

  const wrongs = operation.parameters.flatMap((parameter) =>
    wrongValuesOf(parameter).map((value) => ({ parameter, value })),
  )
  test.each(wrongs)('refuses $parameter.in parameter $parameter.name=$value', async ({ parameter, value }) => {
    const sample = await refusedSampleOf(contract, operation.name)
    const path = withParameter(operation, sample.path, parameter, value)
    const answer = await askWith(contract, operation, { ...sample, path }, {})
    expectProblem(answer, 'validation-failed')
    expectDeclared(operation, answer)
    expect(answer.json).toMatchObject({ errors: [{ pointer: `${parameter.in}/${parameter.name}` }] })
  })
})

describe.concurrent.each(withBody)('$name', (operation) => {
  const askRaw = async (
    body: RequestBody,
    headers: Record<string, string> = { 'Content-Type': 'application/json' },
  ) => {
    const { path } = await refusedSampleOf(contract, operation.name)
    return contract.ask(path, { method: operation.method, key: keyFor(operation, ours), body, headers })
  }

  test('refuses a body that is too large, announced or not', async () => {
    const large = JSON.stringify({ a: 'x'.repeat(BODY_BYTES_MAX) })
    const announced = await askRaw(large)
    const chunked = await askRaw(new Blob([large]).stream())
    for (const answer of [announced, chunked]) {
      expectProblem(answer, 'body-too-large')
      expectDeclared(operation, answer)
    }
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'json',
    'application/jsonp',
  ])('refuses %s', async (type) => {
    const answer = await askRaw('{}', { 'Content-Type': type })
    expectProblem(answer, 'unsupported-media-type')
    expectDeclared(operation, answer)
  })

  test('takes a compressed body where it says so, and refuses it everywhere else', async () => {
    const { path, json, status } = await sampleOf(contract, operation.name)
    const body = new Uint8Array(gzipSync(JSON.stringify(json)))
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }
    const init = { method: operation.method, key: keyFor(operation, ours), body }
    const takes = GZIPPED.includes(operation.name)
    expect(operation.declared.requestBody?.description?.includes('Content-Encoding: gzip')).toBe(takes)
    const answer = await contract.ask(path, { ...init, headers })
    const other = await contract.ask(path, { ...init, headers: { ...headers, 'Content-Encoding': 'br' } })
    if (takes) expect(answer.status).toBe(status)
    for (const refused of takes ? [other] : [answer, other]) {
      expectProblem(refused, 'unsupported-media-type')
      expect(refused.headers.get('accept-encoding')).toBe(takes ? 'gzip, identity' : 'identity')
    }
  })

  test.each(['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.llmring+json', ''])(
    'takes a body for JSON with the type %j',
    async (type) => {
      const { path, json, status } = await sampleOf(contract, operation.name)
      const body = new TextEncoder().encode(JSON.stringify(json))
      const headers = type === '' ? {} : { 'Content-Type': type }
      const init = { method: operation.method, key: keyFor(operation, ours), body, headers }
      expect((await contract.ask(path, init)).status).toBe(status)
    },
  )

  // What is passed on to a model may be deeper.
  const levels = operation.path.startsWith('/v1/') ? 128 : 32
  const MALFORMED: readonly (readonly [string, RequestBody])[] = [
    ['an open object', '{'],
    ['two values', '{} {}'],
    ['single quotes', "{'a':1}"],
    ['a comment', '{/* */}'],
    ['NaN', '{"a":NaN}'],
    ['a comma at the end', '[1,]'],
    ['a raw NUL', '{"a":"\u0000"}'],
    ['a mark of byte order in the middle', '[\ufeff1]'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['half a character', new Uint8Array([0x22, 0xf0, 0x9f, 0x22])],
    [`${levels + 1} levels`, '['.repeat(levels + 1) + ']'.repeat(levels + 1)],
    ['10,000 levels', '['.repeat(10_000)],
  ]
  test.each(MALFORMED)('refuses malformed JSON: %s', async (_, body) => {
    const answer = await askRaw(body)
    expectProblem(answer, 'malformed-json')
    expectDeclared(operation, answer)
  })

  const UNKEEPABLE: readonly (readonly [string, string])[] = [
    ['NUL', String.raw`{"model":"a\u0000"}`],
    ['a lone surrogate', String.raw`[{"alias":"\ud800"}]`],
    ['a lone surrogate in a name', String.raw`{"metadata":{"\udfff":1}}`],
    ['1e400', '{"cost":1e400}'],
    ['-1e400', '{"tokens":{"input":-1e400}}'],
    ['1 with 400 zeros', `{"input_tokens":1${'0'.repeat(400)}}`],
  ]
  test.each(UNKEEPABLE)('refuses a value that cannot be kept: %s', async (_, body) => {
    const answer = await askRaw(body)
    // There each item has its own result.
    if (operation.name === 'POST /api/v1/log/batch' && body.startsWith('[')) {
      return expect(answer.json).toMatchObject({ results: [{ status: 422, code: 'validation-failed' }] })
    }
    expectProblem(answer, 'validation-failed')
    expectDeclared(operation, answer)
  })

  test.each(['42', '"text"', 'true', '1e9'])('refuses a body of the wrong shape: %s', async (body) => {
    expectProblem(await askRaw(body), 'validation-failed')
  })

  test('refuses an empty body exactly where the document says that one is required', async () => {
    const answer = await askRaw('')
    if (operation.declared.requestBody?.required) expectProblem(answer, 'validation-failed')
    else expect(answer.status).toBe(200)
  })
})

test('nothing that was refused left a project behind', async () => {
  const { projects } = await contract.service.projects.verbs.list({ limit: 100, after: undefined })
  expect(projects.filter((project) => project.origin === 'open')).toEqual([])
})
