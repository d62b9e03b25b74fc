import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { keyOfByte, newProject, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { CLAIMS } from '../unit/proof-fixtures.js'

let database: TestDatabase
let one: ReceiptsInstance
let two: ReceiptsInstance

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startReceipts(database.url, keyOfByte(1))
  two = await startReceipts(database.url, keyOfByte(1))
})
afterAll(async () => {
  await one.close()
  await two.close()
  await database.drop()
})

const total = async (project: ReturnType<typeof newProject>) =>
  ((await one.call('/api/v1/receipts/', { project })).json as { total: number }).total

describe('the same request again', () => {
  it('is answered with the stored bytes, later and on another instance', async () => {
    const project = newProject()
    const first = await one.issue({ ...CLAIMS, id: 'r' }, project)
    one.advance(60_000)
    expect((await one.issue({ ...CLAIMS, id: 'r' }, project)).text).toBe(first.text)
    expect((await two.issue({ ...CLAIMS, id: 'r' }, project)).text).toBe(first.text)
    expect(await total(project)).toBe(1)
  })

  it('is the same whatever the order of its members and whether a null is sent', async () => {
    const project = newProject()
    const first = await one.issue({ ...CLAIMS, id: 'r' }, project)
    const turned = Object.fromEntries(Object.entries({ ...CLAIMS, id: 'r', provider: null }).reverse())
    expect((await one.issue(turned, project)).text).toBe(first.text)
  })

  it('is the same after the registry moved on: what was issued counts', async () => {
    const { registry_version: _, ...claims } = CLAIMS
    const project = newProject()
    const first = await one.issue({ ...claims, id: 'r', model: 'openai:gpt-4o' }, project)
    expect(first.json).toMatchObject({ registry_version: 'openai@7' })
    expect((await one.issue({ ...claims, id: 'r', model: 'openai:gpt-4o' }, project)).text).toBe(first.text)
    const explicit = await one.issue({ ...claims, id: 'r', model: 'openai:gpt-4o', registry_version: 'x' }, project)
    expect(explicit.status).toBe(409)
  })

  it.each([
    ['a claim', { alias: 'other' }],
    ['a count', { tokens: { input: 1_200, output: 301 } }],
    ['the cost', { cost: { amount: '0.00037' } }],
    ['no timestamp', { timestamp: null }],
  ])('with another payload (%s) is a conflict that shows the stored receipt', async (_name, change) => {
    const project = newProject()
    const first = await one.issue({ ...CLAIMS, id: 'r' }, project)
    const second = await one.issue({ ...CLAIMS, id: 'r', ...change }, project)
    expect([second.status, second.json]).toMatchObject([409, { code: 'conflict', current: first.json }])
    expect((await one.call('/api/v1/receipts/r', { project })).text).toBe(first.text)
  })

  it('without an id is a new receipt every time', async () => {
    const project = newProject()
    const [first, second] = [await one.issue(CLAIMS, project), await one.issue(CLAIMS, project)]
    expect(first.json).not.toMatchObject({ id: (second.json as { id: string }).id })
    expect(await total(project)).toBe(2)
  })

  it('does not turn a receipt with an id of ours into a repeatable one', async () => {
    const project = newProject()
    const { id } = (await one.issue(CLAIMS, project)).json as { id: string }
    expect((await one.issue({ ...CLAIMS, id }, project)).status).toBe(409)
  })

  it('at the same moment, 20 times on two instances, is one receipt', async () => {
    for (const id of ['p', 'q', 'r']) {
      const project = newProject()
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? one : two).issue({ ...CLAIMS, id }, project)),
      )
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
      expect(await total(project)).toBe(1)
    }
  })

  it('at the same moment as another payload: one is issued, and the others see which', async () => {
    const project = newProject()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => one.issue({ ...CLAIMS, id: 'r', alias: `alias-${at}` }, project)),
    )
    const issued = answers.filter((answer) => answer.status === 200)
    expect(issued).toHaveLength(1)
    for (const { json } of answers.filter((answer) => answer.status !== 200)) {
      expect(json).toMatchObject({ code: 'conflict', current: issued[0]?.json })
    }
  })

  it('for many ids on two instances at once: each is issued once', async () => {
    const project = newProject()
    const ids = Array.from({ length: 200 }, (_, at) => `id-${at}`)
    const answers = await Promise.all([
      ...ids.map((id) => one.issue({ ...CLAIMS, id }, project)),
      ...ids.toReversed().map((id) => two.issue({ ...CLAIMS, id }, project)),
    ])
    expect(answers.filter((answer) => answer.status !== 200)).toEqual([])
    expect(await total(project)).toBe(200)
  })
})

describe('a payload', () => {
  const status = async (change: object) => {
    const { status: code, json } = await one.issue({ ...CLAIMS, ...change }, newProject())
    const [error] = (json as { errors?: { pointer: string }[] }).errors ?? []
    return [code, error?.pointer]
  }

  it.each([
    ['a float for a count', { tokens: { input: 1.5, output: 1 } }, '/tokens/input'],
    ['an unsafe integer', { tokens: { input: 2 ** 53, output: 1 } }, '/tokens/input'],
    ['a negative count', { tokens: { input: 1, output: -1 } }, '/tokens/output'],
    ['a count that is a text', { tokens: { input: '1', output: 1 } }, '/tokens/input'],
    ['a counter that is no name', { tokens: { input: 1, output: 1, 'Bad Name': 1 } }, '/tokens'],
    ['too many counters', { tokens: Object.fromEntries(names(40, 1)) }, '/tokens'],
    ['a negative amount', { cost: { amount: -0.1 } }, '/cost/amount'],
    ['an amount with more places than are signed', { cost: { amount: '0.1234567890123' } }, '/cost/amount'],
    ['a number with more places than are signed', { cost: { amount: 0.1234567890123 } }, '/cost/amount'],
    ['an amount that is no number', { cost: { amount: '1,50' } }, '/cost/amount'],
    ['another currency', { cost: { amount: 1, currency: 'EUR' } }, '/cost/currency'],
    ['a key that is not ours', { key_id: 'another' }, '/key_id'],
    ['a timestamp with an offset', { timestamp: '2026-03-01T11:59:58+01:00' }, '/timestamp'],
    ['a day that does not exist', { timestamp: '2026-02-29T00:00:00Z' }, '/timestamp'],
    ['a timestamp that is ahead', { timestamp: '2026-03-09T00:00:00Z' }, '/timestamp'],
    ['an id with a slash', { id: 'a/b' }, '/id'],
    ['a long text', { lock_digest: 'x'.repeat(256) }, '/lock_digest'],
    ['a registry version that is not known', { registry_version: null, provider: 'google' }, '/registry_version'],
    ['a claim that only we make', { evidence: 'server_observed' }, '/evidence'],
  ])('is refused with %s', async (_name, change, pointer) => {
    expect(await status(change)).toEqual([422, pointer])
  })

  it('may name the key that signs, be of any age, and cost nothing', async () => {
    const keyId = one.receipts.keyState.keyId
    expect(await status({ key_id: keyId, timestamp: '0001-01-01T00:00:00.123456789Z', cost: { amount: 0 } })).toEqual([
      200,
      undefined,
    ])
  })

  it('keeps the timestamp of the client byte for byte', async () => {
    const { json } = await one.issue({ ...CLAIMS, timestamp: '2020-01-01T00:00:00.10Z' }, newProject())
    expect(json).toMatchObject({ timestamp: '2020-01-01T00:00:00.10Z' })
  })

  it('may have a timestamp without a zone, which is UTC: the receipt says so, verifies, and can be asked for again', async () => {
    const project = newProject()
    const claims = { ...CLAIMS, id: 'naive', timestamp: '2025-08-20T12:34:56.789012' }
    const issued = await one.issue(claims, project)
    expect(issued).toMatchObject({ status: 200, json: { timestamp: '2025-08-20T12:34:56.789012Z' } })
    expect((await one.issue(claims, project)).text).toBe(issued.text)
    expect((await one.call('/api/v1/receipts/verify', { body: issued.text })).json).toMatchObject({ valid: true })
  })

  it('keeps its members apart when one is named __proto__', async () => {
    const body = JSON.stringify(CLAIMS).replace('{', '{"__proto__":{"alias":"forged"},')
    const answer = await one.call('/api/v1/receipts/issue', { body, project: newProject() })
    expect([answer.status, answer.json]).toMatchObject([200, { alias: 'summarizer' }])
    expect(answer.headers.get('x-receipt-ignored')).toBe('__proto__')
  })

  it('that says one thing twice is refused', async () => {
    const body = JSON.stringify(CLAIMS).replace('"amount"', '"amount":9,"amount"')
    const answer = await one.call('/api/v1/receipts/issue', { body, project: newProject() })
    expect([answer.status, answer.json]).toMatchObject([422, { errors: [{ pointer: '/cost/amount' }] }])
  })

  it('has its unsigned members named in the answer, and signed ones only in the receipt', async () => {
    const { headers, json } = await one.issue({ ...CLAIMS, total_tokens: 1_500, signature: '' }, newProject())
    expect(headers.get('x-receipt-ignored')).toBe('total_tokens')
    expect(json).not.toHaveProperty('total_tokens')
    expect((await one.issue(CLAIMS, newProject())).headers.get('x-receipt-ignored')).toBeNull()
  })

  it('gets the registry version of the provider that it names, or that its model names', async () => {
    const issue = async (change: object) =>
      (await one.issue({ ...CLAIMS, registry_version: null, ...change }, newProject())).json
    expect(await issue({ provider: 'openai' })).toMatchObject({ registry_version: 'openai@7', provider: 'openai' })
    const derived = await issue({ model: 'openai:gpt-4o' })
    expect(derived).toMatchObject({ registry_version: 'openai@7' })
    expect(derived).not.toHaveProperty('provider')
    for (const change of [{ model: 'gpt-4o' }, { provider: 'mistral' }, { model: 'mistral:large' }]) {
      expect(await issue(change)).toMatchObject({ registry_version: 'anthropic@9+openai@7' })
    }
  })
})

it('every receipt of a burst is stored, in fewer transactions than receipts', async () => {
  const project = newProject()
  const answers = await Promise.all(Array.from({ length: 300 }, () => one.issue(CLAIMS, project)))
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
  const [row] = await one.database.sql<{ rows: number; transactions: number }[]>`
    select count(*)::int as rows, count(distinct xmin::text)::int as transactions from receipts where project_id = ${project}`
  expect(row?.rows).toBe(300)
  expect(row?.transactions).toBeLessThan(100)
})

function names(count: number, value: number): [string, number][] {
  return [['input', 1], ['output', 1], ...Array.from({ length: count }, (_, at): [string, number] => [`n${at}`, value])]
}
