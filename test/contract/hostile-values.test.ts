import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import type { ProblemCode } from '../../src/platform/problem-catalogue.js'
import { expectProblem } from './expect-problem.js'
import { BODIES, type Outcome, QUERIES, TEXTS } from './hostile-corpus.js'
import { openContract } from './open-contract.js'
import { bindingOf, claimsOf, EVENT } from './samples.js'

const contract = await openContract()
afterAll(() => contract.close())

const { ours } = contract
const key = ours.key
const BASE = '/api/v1/aliases'
/** What no receipt's id holds. */
const CONTROLS = /\p{Cc}/u
const at = (alias: string): string => `${BASE}/${encodeURIComponent(alias)}`
const post = (path: string, json: unknown) => contract.ask(path, { key, json })

describe.concurrent.each(TEXTS)('the text %j', (text) => {
  test('is a name of an alias like any other, in an address, a query and a body', async () => {
    const json = { model: 'openai:gpt-4o-mini', metadata: { [text]: [text], text } }
    const put = await contract.ask(at(text), { method: 'PUT', key, json })
    expect([put.status, put.headers.has('x-injected')]).toEqual([200, false])
    expect(put.json).toMatchObject({ alias: text, metadata: json.metadata })
    const { metadata } = put.json as { metadata: object }
    expect(Object.keys(metadata).sort()).toEqual(Object.keys(json.metadata).sort())
    expect((await contract.ask(at(text), { key })).json).toEqual(put.json)
    const resolved = await contract.ask(`${BASE}/resolve?alias=${encodeURIComponent(text)}`, { key })
    expect(resolved.json).toMatchObject({ alias: text, model: 'openai:gpt-4o-mini' })
    expect((await contract.ask(at(text), { method: 'DELETE', key })).json).toMatchObject({ deleted: true })
    expectProblem(await contract.ask(at(text), { key }), 'not-found')
  })

  test('is recorded unchanged wherever usage takes a text', async () => {
    const origin = `${text.slice(0, 200)} ${randomUUID()}`
    const names = {
      alias: text,
      profile: text,
      model: text,
      provider: text,
      id_at_origin: text,
      conversation_id: text,
      origin,
    }
    const metadata = { [text]: text, list: [text, { [text]: null }] }
    const sent = { ...EVENT, ...names, metadata }
    expect((await post('/api/v1/log', sent)).status).toBe(200)
    const logs = await contract.ask(`/api/v1/logs?origin=${encodeURIComponent(origin)}`, { key })
    expect(logs.json).toEqual([expect.objectContaining({ ...names, metadata })])
    const [logged] = logs.json as [{ metadata: object }]
    expect(Object.keys(logged.metadata).sort()).toEqual(Object.keys(metadata).sort())
  })

  test('is signed and stored unchanged in a receipt, and found under its id', async () => {
    const claims = { ...claimsOf(`r-${randomUUID()}`), alias: text, profile: text, lock_digest: text }
    const issued = await post('/api/v1/receipts/issue', claims)
    expect(issued.json).toMatchObject({ alias: text, profile: text, lock_digest: text })
    expect((await contract.ask(`/api/v1/receipts/${claims.id}`, { key })).text).toBe(issued.text)
    expect((await post('/api/v1/receipts/verify', issued.json)).json).toMatchObject({ valid: true })
    const shown = await contract.ask(`/api/v1/receipts/${encodeURIComponent(text)}`, { key })
    if (text === 'public-key.pem') expect(shown.status).toBe(200)
    else expectProblem(shown, CONTROLS.test(text) ? 'validation-failed' : 'not-found')
  })

  test('is a profile like any other', async () => {
    const profile = encodeURIComponent(text)
    await contract.ask(`${at('in-profile')}?profile=${profile}`, { method: 'PUT', key, json: { model: 'openai:a' } })
    const resolved = await contract.ask(`${BASE}/resolve?alias=in-profile&profile=${profile}`, { key })
    expect(resolved.json).toMatchObject({ profile: text, model: 'openai:a' })
    const elsewhere = await contract.ask(`${BASE}/resolve?alias=in-profile`, { key })
    expect(elsewhere.json).toMatchObject({ model: null })
  })
})

describe('an alias', () => {
  test('that is named resolve is found where no alias is asked for, and shows through no other', async () => {
    expectProblem(await contract.ask(`${BASE}/resolve`, { key }), 'not-found')
    await post(`${BASE}/bind`, bindingOf('resolve'))
    expect((await contract.ask(`${BASE}/resolve`, { key })).json).toMatchObject({
      alias: 'resolve',
      id: expect.any(Number),
    })
    expect((await contract.ask(`${BASE}/resolve?alias=`, { key })).json).toMatchObject({ alias: '', model: null })
    expect((await contract.ask(`${BASE}/resolve?alias=other`, { key })).json).toMatchObject({ model: null })
  })

  test('has the name that was sent: forms of one letter are two names', async () => {
    await post(`${BASE}/bulk_upsert`, [bindingOf('form-\u00e9'), bindingOf('form-e\u0301'), bindingOf('FORM-\u00e9')])
    const list = (await contract.ask(`${BASE}/`, { key })).json as { alias: string }[]
    expect(list.filter((alias) => /^form-/i.test(alias.alias))).toHaveLength(3)
  })

  const REFUSED: readonly (readonly [string, string])[] = [
    ['empty', ''],
    ['blank', '   '],
    ['a dot', '.'],
    ['two dots', '..'],
    ['256 characters', 'x'.repeat(256)],
    ['300 characters', 'x'.repeat(300)],
    ['NUL', 'a\u0000b'],
    ['a lone surrogate', 'a\ud800'],
  ]
  test.each(REFUSED)('is not named %s', async (_, alias) => {
    expectProblem(await post(`${BASE}/bind`, bindingOf(alias)), 'validation-failed')
    expectProblem(await post(`${BASE}/bulk_upsert`, [bindingOf('good'), bindingOf(alias)]), 'validation-failed')
    expectProblem(await contract.ask(at('good'), { key }), 'not-found')
  })

  test.each(['%ff', '%c0%af', '%ed%a0%80', '%', '%f0%9f', 'a%'])(
    'is not addressed with broken encoding: %s',
    async (part) => {
      for (const method of ['GET', 'DELETE'])
        expectProblem(await contract.ask(`${BASE}/${part}`, { method, key }), 'malformed-request')
      const json = { model: 'openai:a' }
      expectProblem(await contract.ask(`${BASE}/${part}`, { method: 'PUT', key, json }), 'malformed-request')
      expectProblem(await contract.ask(`${BASE}/resolve?alias=${part}`, { key }), 'malformed-request')
    },
  )

  test.each(['%00', 'a%00b'])('is not addressed with a NUL: %s', async (part) => {
    expectProblem(await contract.ask(`${BASE}/${part}`, { key }), 'validation-failed')
    expectProblem(await contract.ask(`${BASE}/resolve?alias=${part}`, { key }), 'validation-failed')
  })

  test('is bound with all of a batch or not at all', async () => {
    const before = (await contract.ask(`${BASE}/`, { key })).text
    const batch = [bindingOf('half-1'), bindingOf('half-2'), { alias: 'half-3' }]
    expectProblem(await post(`${BASE}/bulk_upsert`, batch), 'validation-failed')
    expect((await contract.ask(`${BASE}/`, { key })).text).toBe(before)
  })
})

/** An answer is what the table says: 200, or a problem with this code (and, for a 422, at this place). */
function expectOutcome(answer: Awaited<ReturnType<typeof contract.ask>>, outcome: Outcome): void {
  if (outcome === 200) expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(/\S/)])
  else if (!outcome.includes('/')) expectProblem(answer, outcome as ProblemCode)
  else {
    expectProblem(answer, 'validation-failed')
    expect((answer.json as { errors: { pointer: string }[] }).errors[0]?.pointer).toBe(outcome)
  }
}

const questions = QUERIES.flatMap(([path, queries]) =>
  queries.map(([query, outcome]) => [`${path}?${query}`, outcome] as const),
)

describe('a strange query', () => {
  test.each(questions)('is taken or refused for what it is: %s', async (path, outcome) => {
    // A project that holds nothing, so that what other tests left does not matter.
    expectOutcome(await contract.ask(path, { key: contract.theirs.key }), outcome)
  })

  test('with a value twice means the first one, everywhere', async () => {
    const answer = await contract.ask(`${BASE}/resolve?alias=one&alias=two`, { key })
    expect(answer.json).toMatchObject({ alias: 'one' })
  })
})

describe('a strange body', () => {
  test.each(BODIES)('is taken or refused for what it is: %s %s', async (path, body, outcome) => {
    expectOutcome(await contract.ask(path, { key, body, headers: { 'Content-Type': 'application/json' } }), outcome)
  })

  test('changes no prototype', () => {
    expect({}).not.toHaveProperty('cost')
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

test('the database still works, and holds what was accepted and nothing else', async () => {
  expect((await contract.ask('/health')).json).toEqual({ status: 'healthy', database: 'connected' })
  const { summary } = (await contract.ask('/api/v1/stats', { key })).json as { summary: { total_requests: number } }
  expect(summary.total_requests).toBeGreaterThanOrEqual(TEXTS.length)
})
