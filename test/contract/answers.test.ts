import { afterAll, describe, expect, test } from 'vitest'
import { faultsOf, faultsOfAnswer } from './answer-schemas.js'
import { expectManners } from './expect-problem.js'
import { type Answer, keyFor, openContractOfTwo, PEPPER, SIGNING_KEY, type TestProject } from './open-contract.js'
import type { Operation } from './operations.js'
import { claimsOf, type Sample, sampleOf } from './samples.js'

const contract = await openContractOfTwo()
afterAll(() => contract.close())

const { document, operations, ours } = contract
const reads = operations.filter((operation) => operation.method === 'GET')
/** Everything that was answered here, to be searched for what must not be in it. */
const keys: string[] = []
const heard: { name: string; answer: Answer }[] = []

/** A project of its own for each test: they run side by side, and what one writes would show in another's answer. */
async function prepare(operation: Operation): Promise<{ project: TestProject; sample: Sample }> {
  const project = await contract.makeProject()
  keys.push(project.key)
  return { project, sample: await sampleOf(contract, operation.name, project) }
}

async function answerTo(operation: Operation, { project, sample }: { project: TestProject; sample: Sample }) {
  const { json, headers = {} } = sample
  const init = { method: operation.method, key: sample.key ?? keyFor(operation, project), headers }
  const answer = await contract.ask(sample.path, { ...init, ...(json === undefined ? {} : { json }) })
  heard.push({ name: operation.name, answer })
  return answer
}

const asked = new Map<string, Promise<{ answer: Answer; sample: Sample }>>()

/** The answer to an operation, which is asked for once. */
function onlyAnswerTo(operation: Operation): Promise<{ answer: Answer; sample: Sample }> {
  const ask = async () => {
    const prepared = await prepare(operation)
    return { answer: await answerTo(operation, prepared), sample: prepared.sample }
  }
  const known = asked.get(operation.name) ?? ask()
  asked.set(operation.name, known)
  return known
}

const contentTypeOf = (answer: Answer): string => answer.headers.get('content-type') ?? ''
const faults = (operation: Operation, answer: Answer): string[] =>
  faultsOfAnswer(document, operation.declared, { ...answer, contentType: contentTypeOf(answer) })

describe.concurrent.each(operations)('$name', (operation) => {
  test('answers what it declares, with the manners of every answer', async () => {
    const { answer, sample } = await onlyAnswerTo(operation)
    expect(answer.status).toBe(sample.status)
    expect(faults(operation, answer)).toEqual([])
    expectManners(answer)
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(contentTypeOf(answer).startsWith('text/html')).toBe(answer.headers.has('content-security-policy'))
    if (answer.json !== undefined) expect(JSON.parse(answer.text)).toEqual(answer.json)
  })
})

const withMembers = operations.flatMap((operation) => {
  const { status = '', schema } = successOf(operation)
  const required = schema === undefined ? [] : requiredOf(schema)
  return schema === undefined || required.length === 0 ? [] : [{ ...operation, status, schema, required }]
})

describe.concurrent.each(withMembers)('the shape of $name', ({ required, schema, ...operation }) => {
  test(`is not the one of an answer without one of ${required.join(', ')}`, async () => {
    const { answer } = await onlyAnswerTo(operation)
    for (const name of required) {
      const { [name]: gone, ...rest } = answer.json as Record<string, unknown>
      expect(gone).not.toBeUndefined()
      expect(faultsOf(document, schema, rest)).not.toEqual([])
    }
  })
})

/** The declared shape of an operation's JSON answer where all is well. */
function successOf({ declared }: Operation): { status?: string; schema?: Readonly<Record<string, unknown>> } {
  const [status, response] = Object.entries(declared.responses).find(([code]) => code.startsWith('2')) ?? []
  const schema = response?.content?.['application/json']?.schema
  return status === undefined || schema === undefined ? {} : { status, schema }
}

/** The members that a schema requires, through one reference. */
function requiredOf(schema: Readonly<Record<string, unknown>>): string[] {
  const name = String(schema['$ref'] ?? '').replace('#/components/schemas/', '')
  return ((document.components.schemas[name] ?? schema)['required'] as string[] | undefined) ?? []
}

describe.concurrent.each(reads)('HEAD of $name', (operation) => {
  test('is the answer to GET without its body', async () => {
    const prepared = await prepare(operation)
    const got = await answerTo(operation, prepared)
    const key = keyFor(operation, prepared.project)
    const head = await contract.ask(prepared.sample.path, { method: 'HEAD', key })
    expect([head.status, head.text]).toEqual([got.status, ''])
    for (const name of ['content-type', 'cache-control', 'etag', 'content-security-policy']) {
      expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)])
    }
    expectManners(head)
  })
})

describe('a page', () => {
  test('may run only what this service serves, and be framed by nobody', async () => {
    const page = await contract.ask('/docs')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/default-src 'none'/)
    expect(policy).toMatch(/frame-ancestors 'none'/)
    expect(policy).not.toMatch(/unsafe-eval|https?:|script-src[^;]*unsafe-inline/)
    expect(page.headers.get('strict-transport-security')).toMatch(/max-age=\d+/)
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)
    expect(loaded.length).toBeGreaterThan(2)
    for (const url of loaded) expect([url, (await contract.ask(url)).status]).toEqual([url, 200])
  })

  test.each(['index.html', 'package.json', 'swagger-ui.css.map', '__proto__', 'constructor', '..%2Fpackage.json'])(
    'does not give away other files: %s',
    async (file) => {
      expect((await contract.ask(`/docs/${file}`)).status).not.toBe(200)
    },
  )
})

describe('no answer', () => {
  test('shows a key, a pepper, the password of the database or the key that signs', async () => {
    const { key } = await contract.makeKey(ours.id, 'admin')
    for (const path of ['/api/v1/aliases/%ff', '/api/v1/logs?limit=x', '/api/v1/nowhere', `/${key}`]) {
      heard.push({ name: path, answer: await contract.ask(path, { key }) })
    }
    heard.push({ name: 'refused', answer: await contract.ask('/api/v1/receipts/', { key: `${key} x`, json: {} }) })
    const database = new URL(contract.databaseUrl)
    const secrets = [
      ...keys,
      ours.key,
      contract.theirs.key,
      key,
      PEPPER,
      SIGNING_KEY,
      'operator-key-of-the-tests',
      database.href,
    ]
    if (database.password.length > 4) secrets.push(database.password)
    expect(heard.length).toBeGreaterThan(100)
    for (const { name, answer } of heard) {
      const text = `${answer.text} ${[...answer.headers].flat().join(' ')}`
      for (const secret of secrets) expect([name, text.includes(secret)]).toEqual([name, false])
    }
  })

  test('shows a key that was made before, or its hash: listing and exporting a project included', async () => {
    const admin = { key: 'operator-key-of-the-tests' }
    for (const path of ['', '/export', '/keys']) {
      const answer = await contract.ask(`/api/v1/admin/projects/${ours.id}${path}`, admin)
      expect(answer.status).toBe(200)
      expect(answer.text).not.toContain(ours.key)
      expect(answer.text).not.toMatch(/hash|pepper/)
    }
  })
})

describe('an answer that may be kept', () => {
  test('is one of the registry, of the log, of a public key or of what the page loads; everything else is no-store', () => {
    const kept = heard.filter(
      ({ answer }) => answer.status === 200 && answer.headers.get('cache-control') !== 'no-store',
    )
    const names = new Set(kept.map(({ name }) => name))
    expect(names.size).toBeGreaterThan(5)
    for (const name of names)
      expect(name).toMatch(
        /^GET (\/registry|\/log\/(checkpoint|tile)|\/receipts\/(public-key|key-statements)|\/api\/v1\/receipts\/public-key|\/docs\/)/,
      )
  })

  test('of the registry is confirmed with 304, with the same ETag and the same leave to be kept', async () => {
    for (const path of ['/registry', '/registry/openai/models.json', '/registry/v/2/registry.json']) {
      const got = await contract.ask(path)
      const etag = got.headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[^"]+"$/)
      const again = await contract.ask(path, { headers: { 'If-None-Match': etag } })
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag])
      expect(again.headers.get('cache-control')).toBe(got.headers.get('cache-control'))
      expectManners(again)
    }
  })
})

test('a receipt that is asked for again is answered with the very bytes that were signed', async () => {
  const claims = claimsOf('bytes-1')
  const issued = await contract.ask('/api/v1/receipts/issue', { key: ours.key, json: claims })
  const replayed = await contract.ask('/api/v1/receipts/issue', { key: ours.key, json: claims })
  const shown = await contract.ask('/api/v1/receipts/bytes-1', { key: ours.key })
  expect([replayed.text, shown.text]).toEqual([issued.text, issued.text])
})
