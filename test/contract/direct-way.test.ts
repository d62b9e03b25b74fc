import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { WAY_HEADER } from '../support/service.js'
import { type Answer, type Ask, type Contract, comparable, openContract } from './open-contract.js'

const LOG = '/api/v1/log'
const ISSUE = '/api/v1/receipts/issue'
const VERIFY = '/api/v1/receipts/verify'
const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const SAID = { model: 'echo:parrot', messages: [{ role: 'user', content: 'Say it again.' }] }
const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 300 }
const CLAIMS = {
  ...{ id: 'call-1', timestamp: new Date().toISOString(), registry_version: 'openai@7', model: 'openai:gpt-4o-mini' },
  ...{ alias: 'summarizer', profile: 'default', lock_digest: 'none', tokens: { input: 1200, output: 300 } },
  cost: { amount: '0.00036' },
}

let contract: Contract
let receipt: unknown
beforeAll(async () => {
  contract = await openContract()
  const issued = await contract.ask(ISSUE, { key: contract.ours.key, json: CLAIMS })
  expect(issued.status, issued.text).toBe(200)
  receipt = issued.json
})
afterAll(() => contract.close())

type Both = { readonly direct: Answer; readonly ordinary: Answer; readonly isDirect: boolean }

/** Sends a request the ordinary way, then once more; says whether the second one went the direct way. */
async function askBothWays(path: string, init: () => Ask): Promise<Both> {
  const sent = () => ({ key: contract.ours.key, method: 'POST', ...init() })
  const ordinary = await contract.ask(path, { ...sent(), headers: { ...init().headers, [WAY_HEADER]: 'ordinary' } })
  const before = contract.directAnswers()
  const direct = await contract.ask(path, sent())
  return { direct, ordinary, isDirect: contract.directAnswers() > before }
}

/** A key is remembered only while this process is sure of what others commit, which on a busy machine it may not be. */
const untilDirect = (ask: () => Promise<Both>): Promise<Both> =>
  eventually(async () => {
    const both = await ask()
    expect(both.isDirect).toBe(true)
    return both
  })

const json = (body: NonNullable<Ask['body']>): Ask => ({ body, headers: { 'Content-Type': 'application/json' } })

describe('the direct way answers as the ordinary way does', () => {
  const same: [string, string, () => Ask][] = [
    ['a receipt that holds', VERIFY, () => ({ json: receipt, key: null })],
    ['a receipt that does not', VERIFY, () => ({ json: { ...(receipt as object), alias: 'other' }, key: null })],
    ['claims that were signed before', ISSUE, () => ({ json: CLAIMS })],
    ['claims with a member that is ignored', ISSUE, () => ({ json: { ...CLAIMS, note: 'x' } })],
    ['other claims with the same id', ISSUE, () => ({ json: { ...CLAIMS, alias: 'other' } })],
    ['claims without a model', ISSUE, () => ({ json: { ...CLAIMS, model: null } })],
    ['a member that occurs twice', ISSUE, () => json(`{"model":"a:b",${JSON.stringify(CLAIMS).slice(1)}`)],
    ['an event without a model', LOG, () => ({ json: { ...EVENT, model: undefined } })],
    ['an event with a count that is none', LOG, () => ({ json: { ...EVENT, input_tokens: -1 } })],
    ['text that is no JSON', LOG, () => json('{"provider"')],
    ['text that is not UTF-8', LOG, () => json(new Uint8Array([0x22, 0xff, 0x22]))],
    ['a value that no store keeps', LOG, () => json('{"provider":"\\u0000"}')],
    ['a text that nests too deep', LOG, () => json(`${'['.repeat(40)}${']'.repeat(40)}`)],
    ['a body of nothing but white space', LOG, () => json('  ')],
    ['a number', LOG, () => json('7')],
    ['a chat', CHAT, () => ({ json: SAID })],
    ['a chat whose answer is streamed', CHAT, () => ({ json: { ...SAID, stream: true } })],
    ['a chat with a model that is unknown', CHAT, () => ({ json: { ...SAID, model: 'no:such' } })],
    ['a chat without messages', CHAT, () => ({ json: { model: 'echo:parrot' } })],
    ['messages with a value that is passed on', MESSAGES, () => ({ json: { ...SAID, max_tokens: 9, user: '\u0000' } })],
    ['messages that are streamed', MESSAGES, () => ({ json: { ...SAID, max_tokens: 9, stream: true } })],
    ['messages with a limit that is none', MESSAGES, () => ({ json: { ...SAID, max_tokens: 'many' } })],
    ['no body', LOG, () => ({ headers: { 'Content-Type': 'application/json' } })],
  ]
  for (const [what, path, init] of same) {
    test(`to ${what}`, async () => {
      const { direct, ordinary } = await untilDirect(() => askBothWays(path, init))
      expect(comparable(direct)).toEqual(comparable(ordinary))
    })
  }

  test('to an event, of which each becomes a row', async () => {
    let key = ''
    const { direct, ordinary } = await untilDirect(async () => {
      key = (await contract.makeProject()).key
      return askBothWays(LOG, () => ({ json: EVENT, key }))
    })
    const blank = (answer: Answer) =>
      comparable({ ...answer, text: answer.text.replace(/("log_id":|"timestamp":)"[^"]+"/g, '$1""') })
    expect(blank(direct)).toEqual(blank(ordinary))
    const { json: rows } = await contract.ask('/api/v1/logs', { key })
    const ids = [direct, ordinary].map((answer) => (answer.json as { log_id: string }).log_id)
    expect((rows as { id: string }[]).map(({ id }) => id)).toEqual(ids)
  })

  const left: [string, string, () => Ask][] = [
    ['a key that is missing', LOG, () => ({ json: EVENT, key: null })],
    ['two keys', LOG, () => ({ json: EVENT, headers: { 'X-API-Key': 'another' } })],
    ['a key whose role may not sign', ISSUE, () => ({ json: CLAIMS, headers: {} })],
    ['a query', `${LOG}?x=1`, () => ({ json: {} })],
    ['a trailing slash', `${LOG}/`, () => ({ json: {} })],
    ['another method', LOG, () => ({ json: EVENT, method: 'PUT' })],
    ['an origin', LOG, () => ({ json: {}, headers: { Origin: 'http://localhost:5173' } })],
    ['another media type', LOG, () => ({ json: EVENT, headers: { 'Content-Type': 'text/plain' } })],
    ['a compressed body', LOG, () => ({ json: EVENT, headers: { 'Content-Encoding': 'gzip' } })],
    ['no media type', LOG, () => ({ body: new Uint8Array([0x7b, 0x7d]) })],
    ['a body of no stated length', LOG, () => json(new Blob(['{}']).stream())],
    ['a body that is large', LOG, () => ({ json: { ...EVENT, metadata: { text: 'x'.repeat(70_000) } } })],
  ]
  for (const [what, path, init] of left) {
    test(`and leaves ${what} to it`, async () => {
      const key = what.includes('role') ? (await contract.makeKey(contract.ours.id, 'read')).key : undefined
      const { direct, ordinary, isDirect } = await askBothWays(path, () => ({
        ...init(),
        ...(key === undefined ? {} : { key }),
      }))
      expect(isDirect).toBe(false)
      expect(comparable(direct)).toEqual(comparable(ordinary))
    })
  }

  test('and leaves two media types to it, of which Node would show the first', async () => {
    const { host, hostname, port } = new URL(contract.url)
    const head = [`POST ${LOG} HTTP/1.1`, `Host: ${host}`, `X-Project-Key: ${contract.ours.key}`, 'Content-Length: 2']
    const types = ['Content-Type: application/json', 'Content-Type: text/plain', 'Connection: close']
    const before = contract.directAnswers()
    const socket = connect(Number(port), hostname)
    socket.end(`${[...head, ...types].join('\r\n')}\r\n\r\n{}`)
    let received = ''
    for await (const chunk of socket) received += String(chunk)
    expect(received).toMatch(/^HTTP\/1\.1 415 /)
    expect(contract.directAnswers()).toBe(before)
  })

  test('and leaves the first write of a new key to it, and takes those that follow', async () => {
    const write = async () => {
      const before = contract.directAnswers()
      expect((await contract.ask(LOG, { json: EVENT, key: 'never-seen-before' })).status).toBe(200)
      return contract.directAnswers() - before
    }
    // Reading makes the key known, and that it has no project yet.
    for (let read = 0; read < 2; read++)
      await contract.ask('/api/v1/aliases/resolve?alias=x', { key: 'never-seen-before' })
    expect(await write()).toBe(0)
    await eventually(async () => expect(await write()).toBe(1))
  })
})

test('with a rate limit, no write passes by its count', async () => {
  const limited = await openContract({ LLMRING_RATE_LIMIT_PER_KEY: '3' })
  try {
    const statuses: number[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      statuses.push((await limited.ask(LOG, { json: EVENT, key: limited.ours.key })).status)
    }
    expect([statuses.at(-1), limited.directAnswers()]).toEqual([429, 0])
  } finally {
    await limited.close()
  }
})
