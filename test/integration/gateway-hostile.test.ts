import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { type GatewayProject, readData, startGateway } from '../support/gateway-world.js'
import {
  answerJson,
  type Behaviour,
  beginEvents,
  chunk,
  completion,
  sendData,
  startUpstream,
  usageChunk,
  wellBehaved,
} from '../support/local-upstream.js'

const KEY = 'sk-planted-credential-4711'
const upstream = await startUpstream(wellBehaved)
const idle = { timeout_seconds: 0.4, idle_seconds: 0.4 }
const world = await startGateway(
  {
    providers: [
      {
        ...{ name: 'local', base_url: upstream.url, api_key_env: 'PLANTED_KEY', model: 'hostile', ...idle },
        // Backends of their own for tests that need one without a past.
        models: Array.from({ length: 20 }, (_, index) => ({ model: `fresh-${index}` })),
      },
      { name: 'nowhere', base_url: 'http://127.0.0.1:9', model: 'away' },
      { name: 'echo', type: 'echo', priority: 9, model: 'parrot' },
    ],
    server: { drain_seconds: 3 },
    // Here everything fails, and yet is to be asked.
    breaker: { failure_threshold: 1_000, min_calls: 100_000 },
  },
  { PLANTED_KEY: KEY },
)
afterAll(async () => {
  await world.close()
  await upstream.close()
})
beforeEach(() => upstream.behave(wellBehaved))

let used = 0
/** A model whose backend no test has called. */
const freshModel = () => `fresh-${used++}`

const CHAT = '/v1/chat/completions'
const messages = [{ role: 'user', content: 'Twelve words or so, that are counted if the upstream counts none.' }]
const ask = (project: GatewayProject, more: object = {}, init?: RequestInit) =>
  project.post(CHAT, { model: 'hostile', messages, ...more }, init)

/** The one row that a call left. Another call after it must not find a second one. */
async function onlyRow(project: GatewayProject) {
  const [first] = await project.rows(1)
  await (await project.post(CHAT, { model: 'parrot', messages })).text()
  const rows = await project.rows(2)
  expect(rows.map(({ provider }) => provider)).toEqual([first?.provider, 'echo'])
  return first
}

const hang: Behaviour = () => undefined
const status =
  (code: number, headers = {}, message = 'Not like this'): Behaviour =>
  (outgoing) =>
    answerJson(outgoing, { error: { message, type: 'some_error' } }, code, headers)

describe('an upstream that gives no answer that can be used', () => {
  const troubles: readonly (readonly [string, Behaviour, number, string, string])[] = [
    ['hangs before its head', hang, 502, 'upstream-failed', 'timeout'],
    ['answers 500', status(500), 502, 'upstream-failed', 'status 500'],
    ['answers 429', status(429), 429, 'too-many-requests', 'status 429'],
    ['refuses the request', status(400), 400, 'upstream-refused', 'status 400'],
    ['refuses our credential', status(401, {}, `Wrong key ${KEY}`), 502, 'upstream-failed', 'status 401'],
    ['redirects', status(302, { location: 'http://127.0.0.1:9/' }), 502, 'upstream-failed', 'status 302'],
    ['sends garbage', (outgoing) => answerJson(outgoing, '<html>busy</html>'), 502, 'upstream-failed', 'garbage'],
    [
      'sends an error with a status of success',
      (outgoing) => answerJson(outgoing, { error: { message: `No ${KEY}`, type: 'busy' } }),
      ...([502, 'upstream-failed', 'error-in-answer'] as const),
    ],
    [
      'breaks off in the middle of its answer',
      (outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
        outgoing.write('{"choices":', () => outgoing.destroy())
      },
      ...([502, 'upstream-failed', 'cut'] as const),
    ],
    [
      'stands still in the middle of its answer',
      (outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'application/json' })
        outgoing.write('{"choices":')
      },
      ...([502, 'upstream-failed', 'timeout'] as const),
    ],
  ]

  test.each(troubles)('%s: the caller hears of it, and one row tells what happened', async (_, behaviour, ...rest) => {
    const [code, problem, outcome] = rest
    upstream.behave(behaviour)
    const project = world.project()
    const response = await ask(project)
    const body = await response.text()
    expect([response.status, JSON.parse(body)]).toMatchObject([code, { code: problem, error: { code: problem } }])
    expect(body).not.toContain(KEY)
    const row = await onlyRow(project)
    // What it may have worked on is counted here; what it says with an error costs nothing.
    const estimated = ['timeout', 'cut', 'garbage'].includes(outcome)
    const told = { provider: 'local', model: 'hostile', output_tokens: 0 }
    expect(row).toMatchObject({ ...told, metadata: { outcome, attempts: 1, estimated } })
    expect(row?.input_tokens === 0).toBe(!estimated)
  })

  test('refuses the connection', async () => {
    const project = world.project()
    const response = await project.post(CHAT, { model: 'away', messages })
    expect(response.status).toBe(502)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await onlyRow(project)).toMatchObject({ provider: 'nowhere', metadata: { outcome: 'refused' } })
  })

  test('says when to come back, and no library is told to wait for an hour', async () => {
    upstream.behave(status(429, { 'retry-after': '3600' }))
    expect((await ask(world.project(), { model: freshModel() })).headers.get('retry-after')).toBe('30')
    upstream.behave(status(429, { 'retry-after': '7' }))
    expect((await ask(world.project(), { model: freshModel() })).headers.get('retry-after')).toBe('7')
    upstream.behave(status(429))
    expect((await ask(world.project(), { model: freshModel() })).headers.get('retry-after')).toBe('1')
  })

  test.each([true, false])('is followed by the next backend that an alias names (stream: %s)', async (stream) => {
    upstream.behave(status(503))
    const project = world.project()
    await project.bind('reader', [`local:${freshModel()}`, 'echo:parrot'])
    const response = await ask(project, { model: 'reader', stream })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-llm-router-attempts')).toBe('2')
    expect(response.headers.get('x-llm-router-model')).toBe('echo:parrot')
    await response.text()
    const [row, ...more] = await project.rows(1)
    expect(more).toEqual([])
    expect(row).toMatchObject({ provider: 'echo', alias: 'reader', metadata: { attempts: 2, outcome: 'answered' } })
  })
})

describe('an upstream without usage', () => {
  test('has its answer counted here, and the row says so', async () => {
    upstream.behave((outgoing) => answerJson(outgoing, completion('Four words of answer', null)))
    const project = world.project()
    await ask(project)
    const row = await onlyRow(project)
    expect(row?.metadata).toMatchObject({ estimated: true, outcome: 'answered' })
    expect(row?.input_tokens).toBeGreaterThan(10)
    expect(row?.output_tokens).toBe(5)
  })

  test('has its stream counted, too', async () => {
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      for (const word of ['Four', ' words']) sendData(outgoing, chunk({ content: word }))
      sendData(outgoing, chunk({}, 'stop'))
      outgoing.end()
    })
    const project = world.project()
    const data = await readData(await ask(project, { stream: true }))
    expect(data.at(-1)).toBe('[DONE]')
    expect(await onlyRow(project)).toMatchObject({ output_tokens: 3, metadata: { estimated: true } })
  })
})

describe('a stream', () => {
  test('whose usage comes late is waited for', async () => {
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ content: 'word' }))
      sendData(outgoing, chunk({}, 'stop'))
      setTimeout(() => {
        sendData(outgoing, usageChunk())
        sendData(outgoing, '[DONE]')
        outgoing.end()
      }, 150)
    })
    const project = world.project()
    await (await ask(project, { stream: true })).text()
    expect(await onlyRow(project)).toMatchObject({ input_tokens: 21, output_tokens: 7, metadata: { estimated: false } })
  })

  const endings: readonly (readonly [string, (outgoing: ServerResponse) => void, string])[] = [
    ['breaks off', (outgoing) => outgoing.destroy(), 'cut'],
    ['ends too early', (outgoing) => outgoing.end(), 'cut'],
    ['stands still', () => undefined, 'timeout'],
    ['sends garbage', (outgoing) => sendData(outgoing, '{"choices": oops'), 'garbage'],
    [
      'sends an error',
      (outgoing) => sendData(outgoing, { error: { message: `Too busy for ${KEY}`, type: 'busy' } }),
      'error-in-answer',
    ],
  ]

  test.each(endings)('that %s in its middle ends with an error, never as if it were whole', async (_, end, outcome) => {
    upstream.behave(async (outgoing) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ role: 'assistant', content: '' }))
      sendData(outgoing, chunk({ content: 'some words' }))
      await new Promise((resolve) => setTimeout(resolve, 50))
      end(outgoing)
    })
    const project = world.project()
    const data = await readData(await ask(project, { stream: true }))
    expect(data.at(-1)).toMatchObject({ error: { message: expect.any(String) } })
    expect(data).not.toContain('[DONE]')
    expect(JSON.stringify(data)).not.toContain(KEY)
    const row = await onlyRow(project)
    expect(row?.metadata).toMatchObject({ outcome, stream: true, estimated: true })
    expect(row?.output_tokens).toBeGreaterThan(0)
  })

  test.each(endings)('that %s before its first content is answered by the next backend', async (_, end) => {
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ role: 'assistant', content: '' }))
      end(outgoing)
    })
    const project = world.project()
    await project.bind('reader', [`local:${freshModel()}`, 'echo:parrot'])
    const response = await ask(project, { model: 'reader', stream: true })
    const data = await readData(response)
    expect(data.at(-1)).toBe('[DONE]')
    expect(response.headers.get('x-llm-router-attempts')).toBe('2')
    expect(JSON.stringify(data)).not.toContain('upstream-model')
    const [row, ...more] = await project.rows(1)
    expect(more).toEqual([])
    expect(row).toMatchObject({ provider: 'echo', metadata: { attempts: 2, estimated: false } })
  })

  test('with thousands of events that hold nothing is read past them', async () => {
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      outgoing.write('data:\n\n'.repeat(50_000))
      for (const event of [chunk({ content: 'word' }), chunk({}, 'stop'), usageChunk(), '[DONE]'])
        sendData(outgoing, event)
      outgoing.end()
    })
    const project = world.project()
    const response = await ask(project, { model: freshModel(), stream: true })
    expect((await readData(response)).at(-1)).toBe('[DONE]')
    expect((await onlyRow(project))?.metadata).toMatchObject({ outcome: 'answered', estimated: false })
  })

  test('that trickles is passed on as it comes', async () => {
    let release: () => void = () => undefined
    upstream.behave(async (outgoing) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ content: 'first' }))
      await new Promise<void>((resolve) => {
        release = resolve
      })
      sendData(outgoing, chunk({}, 'stop'))
      sendData(outgoing, '[DONE]')
      outgoing.end()
    })
    const response = await ask(world.project(), { stream: true })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const { value } = await reader.read()
    expect(new TextDecoder().decode(value)).toContain('first')
    release()
    let rest = ''
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      rest += new TextDecoder().decode(read.value)
    }
    expect(rest).toContain('[DONE]')
  })
})

describe('a caller that leaves', () => {
  test('in the middle of a stream leaves one row with the usage that still came', async () => {
    upstream.behave(async (outgoing) => {
      beginEvents(outgoing)
      for (let piece = 0; piece < 20; piece += 1) {
        sendData(outgoing, chunk({ content: 'word' }))
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      sendData(outgoing, chunk({}, 'stop'))
      sendData(outgoing, usageChunk())
      sendData(outgoing, '[DONE]')
      outgoing.end()
    })
    const project = world.project()
    const leaving = new AbortController()
    const response = await ask(project, { stream: true }, { signal: leaving.signal })
    await response.body?.getReader().read()
    leaving.abort()
    expect(await onlyRow(project)).toMatchObject({
      ...{ input_tokens: 21, output_tokens: 7 },
      metadata: { outcome: 'cancelled', estimated: false },
    })
  })

  test('ends the upstream that would go on for ever', async () => {
    const ended: Promise<unknown>[] = []
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      const talking = setInterval(() => sendData(outgoing, chunk({ content: 'word ' })), 20)
      ended.push(once(outgoing, 'close').then(() => clearInterval(talking)))
    })
    const project = world.project()
    const leaving = new AbortController()
    const response = await ask(project, { stream: true }, { signal: leaving.signal })
    await response.body?.getReader().read()
    leaving.abort()
    const row = await onlyRow(project)
    expect(row?.metadata).toMatchObject({ outcome: 'cancelled', estimated: true })
    expect(row?.output_tokens).toBeGreaterThan(0)
    await Promise.all(ended)
    expect(ended).toHaveLength(1)
  })

  test('before the head of an answer leaves one row, and the upstream is not waited for', async () => {
    upstream.behave(hang)
    const project = world.project()
    const leaving = new AbortController()
    const before = upstream.arrived.length
    const asked = ask(project, {}, { signal: leaving.signal }).catch(() => undefined)
    await eventually(async () => expect(upstream.arrived.length).toBeGreaterThan(before))
    leaving.abort()
    await asked
    expect(await onlyRow(project)).toMatchObject({ provider: 'local', output_tokens: 0 })
  })
})
