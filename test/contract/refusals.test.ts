import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { expectProblem } from './expect-problem.js'
import { type Answer, BODY_BYTES_MAX, keyFor, openContract, type RequestBody } from './open-contract.js'
import { methodsAt, type Operation, ownMethodsAt } from './operations.js'
import { refusedSampleOf, SAMPLES, type Sample, sampleOf } from './samples.js'
import { withParameter, wrongValuesOf } from './wrong-parameters.js'

const contract = await openContract()
const closed = await openContract({ LLMRING_PROJECTS: 'closed', LLMRING_ADMIN_KEY: '' })
afterAll(() => Promise.all([contract.close(), closed.close()]))

const { ours, operations } = contract
const guarded = operations.filter((operation) => operation.access !== 'public')
const ofProjects = operations.filter((operation) => operation.access === 'project')
const ofOperator = operations.filter((operation) => operation.access === 'operator')
/** The operations whose bodies profit most from being compressed. */
const GZIPPED = ['POST /api/v1/log', 'POST /api/v1/aliases/bulk_upsert']
const withBody = operations.filter((operation) => operation.declared.requestBody !== undefined)

/** A request as the sample says, but for what is to be wrong with it. */
function askWith(operation: Operation, sample: Sample, wrong: Parameters<typeof contract.ask>[1]): Promise<Answer> {
  const { json } = sample
  const right = { method: operation.method, key: keyFor(operation, ours), ...(json === undefined ? {} : { json }) }
  return contract.ask(sample.path, { ...right, ...wrong })
}

function expectDeclared(operation: Operation, answer: Answer): void {
  expect(Object.keys(operation.declared.responses)).toContain(String(answer.status))
}

test('every operation has a sample, and every sample an operation', () => {
  expect(operations.length).toBeGreaterThan(30)
  expect(Object.keys(SAMPLES).sort()).toEqual(operations.map((operation) => operation.name).sort())
})

describe.concurrent.each(guarded)('$name', (operation) => {
  test('asks for a key', async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    for (const headers of [{}, { 'X-Project-Key': '' }, { 'X-API-Key': '  ' }, { Authorization: 'Basic eDp5' }]) {
      const answer = await askWith(operation, sample, { key: null, headers })
      expectProblem(answer, 'key-required')
      expectDeclared(operation, answer)
    }
  })

  test('refuses a key that is malformed, or contradicts another one', async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    const key = keyFor(operation, ours) ?? ''
    for (const headers of [{ 'X-Project-Key': 'a b' }, { 'X-API-Key': 'k'.repeat(256) }]) {
      expectProblem(await askWith(operation, sample, { key: null, headers }), 'malformed-key')
    }
    const headers = { 'X-Project-Key': key, 'X-API-Key': `${key}x` }
    const answer = await askWith(operation, sample, { key: null, headers })
    expectProblem(answer, 'conflicting-keys')
    expectDeclared(operation, answer)
    expect(answer.text).not.toContain(key)
  })

  test('takes the key from each of its places', async () => {
    const key = keyFor(operation, ours) ?? ''
    for (const headers of [{ 'X-Project-Key': key }, { 'X-API-Key': key }, { Authorization: `bearer ${key}` }]) {
      const sample = await sampleOf(contract, operation.name)
      expect((await askWith(operation, sample, { key: null, headers })).status).toBe(sample.status)
    }
  })
})

describe.concurrent.each(ofProjects)('$name', (operation) => {
  test('refuses a revoked key', async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    const { id, key } = await contract.makeKey(ours.id, 'admin')
    await contract.service.projects.revokeKey(undefined, id)
    const answer = await askWith(operation, sample, { key })
    expectProblem(answer, 'key-unknown')
    expectDeclared(operation, answer)
  })

  test('refuses an unknown key where projects are closed, and makes no project of it', async () => {
    const { path, json } = await refusedSampleOf(contract, operation.name)
    const before = await closed.service.projects.verbs.list({ limit: 100, after: undefined })
    const unknown = { method: operation.method, key: 'a key nobody made'.replaceAll(' ', '-') }
    expectProblem(await closed.ask(path, { ...unknown, ...(json === undefined ? {} : { json }) }), 'key-unknown')
    expect(await closed.service.projects.verbs.list({ limit: 100, after: undefined })).toEqual(before)
  })
})

describe.concurrent.each(ofOperator)('$name', (operation) => {
  test("refuses a project's key, even one with the role admin", async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    const { key } = await contract.makeKey(ours.id, 'admin')
    for (const wrong of [key, ours.key, 'operator-key-of-the-test']) {
      const answer = await askWith(operation, sample, { key: wrong })
      expectProblem(answer, 'key-unknown')
      expectDeclared(operation, answer)
    }
  })

  test('is not there where no admin key is set', async () => {
    const { path, json } = await refusedSampleOf(contract, operation.name)
    for (const key of [null, ours.key, 'operator-key-of-the-tests']) {
      const init = { method: operation.method, key, ...(json === undefined ? {} : { json }) }
      expectProblem(await closed.ask(path, init), 'not-found')
    }
  })
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
    const answer = await askWith(operation, { ...sample, path: query === undefined ? other : `${other}?${query}` }, {})
    expect([answer.status, answer.headers.get('location')]).toEqual([sample.status, null])
  })

  const wrongs = operation.parameters.flatMap((parameter) =>
    wrongValuesOf(parameter).map((value) => ({ parameter, value })),
  )
  test.each(wrongs)('refuses $parameter.in parameter $parameter.name=$value', async ({ parameter, value }) => {
    const sample = await refusedSampleOf(contract, operation.name)
    const path = withParameter(operation, sample.path, parameter, value)
    const answer = await askWith(operation, { ...sample, path }, {})
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
    ['33 levels', '['.repeat(33) + ']'.repeat(33)],
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
