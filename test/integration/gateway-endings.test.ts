import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
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
  sendEvent,
  startUpstream,
  usageChunk,
  wellBehaved,
} from '../support/local-upstream.js'

const upstream = await startUpstream(wellBehaved)
const address = { base_url: upstream.url, api_key: 'sk-local' }
const fresh = (name: string) => Array.from({ length: 20 }, (_, index) => ({ model: `${name}-${index}` }))
const world = await startGateway({
  providers: [
    { name: 'local', ...address, models: fresh('small') },
    { name: 'claude', type: 'anthropic', ...address, models: fresh('large') },
    { name: 'short', ...address, timeout_seconds: 0.4, idle_seconds: 0.4, models: fresh('short') },
  ],
  server: { drain_seconds: 3 },
  breaker: { failure_threshold: 1_000, min_calls: 100_000 },
})
afterAll(async () => {
  await world.close()
  await upstream.close()
})
beforeEach(() => upstream.behave(wellBehaved))

let used = 0
/** A model whose backend no test has called. */
const freshModel = (name: string) => `${name}-${used++ % 20}`

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const messages = [{ role: 'user', content: 'Twelve words or so, that are counted if the upstream counts none.' }]
const stream = true

/** The one row that a call left: another call after it must not find a second one. */
async function onlyRow(project: GatewayProject) {
  const [first] = await project.rows(1)
  upstream.behave(wellBehaved)
  await (await project.post(CHAT, { model: freshModel('small'), messages })).text()
  const rows = await project.rows(2)
  expect(rows).toHaveLength(2)
  return first
}

/** The service has seen everything that came before this: it answers requests in the order in which they come. */
async function hasBeenHeard(): Promise<void> {
  for (let look = 0; look < 3; look += 1) await (await fetch(`${world.url}/livez`)).text()
}

const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content: [], stop_reason: null }
const delta = (text: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })

/** The head of a stream of Anthropic's, with what it says of its usage at first. */
const beginMessage: Behaviour = (outgoing) => {
  beginEvents(outgoing)
  const message = { ...MESSAGE, usage: { input_tokens: 11, output_tokens: 1, cache_read_input_tokens: 4 } }
  sendEvent(outgoing, { type: 'message_start', ...{ message } })
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }
  sendEvent(outgoing, block)
}

/** Whole streams of upstreams that never close them; what they may still send is no part of the answer. */
const endless: readonly (readonly [string, string, string, Behaviour, unknown])[] = [
  [
    'OpenAI',
    CHAT,
    'small',
    (outgoing) => {
      beginEvents(outgoing)
      for (const event of [
        chunk({ content: 'word' }),
        chunk({}, 'stop'),
        usageChunk(),
        '[DONE]',
        chunk({ content: 'x' }),
      ])
        sendData(outgoing, event)
    },
    '[DONE]',
  ],
  [
    'Anthropic',
    MESSAGES,
    'large',
    (outgoing, arrived) => {
      void beginMessage(outgoing, arrived)
      sendEvent(outgoing, delta('word'))
      const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 6 } }
      sendEvent(outgoing, end)
      sendEvent(outgoing, { type: 'message_stop' })
    },
    { type: 'message_stop' },
  ],
]

describe('an upstream that says that its stream is over, and never closes it', () => {
  test.each(endless)('of %s: the caller has its end at once, and the connection is given up', async (...told) => {
    const [, path, model, behave, last] = told
    const closed: Promise<unknown>[] = []
    upstream.behave((outgoing, arrived) => {
      closed.push(once(outgoing, 'close'))
      return behave(outgoing, arrived)
    })
    const project = world.project()
    const response = await project.post(path, { model: freshModel(model), max_tokens: 9, messages, stream })
    // An upstream may stand still for a minute, which is longer than this test may take.
    expect((await readData(response)).at(-1)).toEqual(last)
    const row = await onlyRow(project)
    expect(row?.metadata).toMatchObject({ outcome: 'answered', estimated: false })
    await Promise.all(closed)
    expect(closed).toHaveLength(1)
  })

  test('but goes on for ever is not read for ever', async () => {
    const closed: Promise<unknown>[] = []
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      for (const event of [chunk({ content: 'word' }), chunk({}, 'stop'), '[DONE]']) sendData(outgoing, event)
      const talking = setInterval(() => outgoing.write(`: ${'x'.repeat(1_000)}\n\n`), 1)
      closed.push(once(outgoing, 'close').then(() => clearInterval(talking)))
    })
    const project = world.project()
    const response = await project.post(CHAT, { model: freshModel('small'), messages, stream })
    expect((await readData(response)).at(-1)).toBe('[DONE]')
    await Promise.all(closed)
    expect(closed).toHaveLength(1)
  })

  test('and closes it soon is called over the same connection again', async () => {
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      for (const event of [chunk({ content: 'word' }), chunk({}, 'stop'), '[DONE]']) sendData(outgoing, event)
      setTimeout(() => outgoing.end(), 20)
    })
    const model = freshModel('small')
    const ports: (number | undefined)[] = []
    await eventually(async () => {
      await (await world.project().post(CHAT, { model, messages, stream })).text()
      ports.push(upstream.arrived.at(-1)?.port)
      expect(new Set(ports).size).toBeLessThan(ports.length)
    })
  })
})

describe('a caller that leaves before the head of the answer', () => {
  test.each([false, true])('leaves one row that says so, with what the answer used (stream: %s)', async (isStream) => {
    let answer: () => void = () => undefined
    upstream.behave((outgoing) => {
      answer = () => {
        if (!isStream) return answerJson(outgoing, completion('Four words of answer'))
        beginEvents(outgoing)
        for (const event of [chunk({ content: 'word' }), chunk({}, 'stop'), usageChunk(), '[DONE]'])
          sendData(outgoing, event)
        outgoing.end()
      }
    })
    const project = world.project()
    const leaving = new AbortController()
    const before = upstream.arrived.length
    const body = { model: freshModel('small'), messages, stream: isStream }
    const asked = project.post(CHAT, body, { signal: leaving.signal }).catch(() => undefined)
    await eventually(() => expect(upstream.arrived.length).toBeGreaterThan(before))
    leaving.abort()
    await asked
    await hasBeenHeard()
    answer()
    expect(await onlyRow(project)).toMatchObject({
      ...{ input_tokens: 21, output_tokens: 7 },
      metadata: { outcome: 'cancelled', estimated: false },
    })
  })

  test('is asked nothing more for, if its backend fails then', async () => {
    let fail: () => void = () => undefined
    upstream.behave((outgoing) => {
      fail = () => answerJson(outgoing, { error: { message: 'Busy' } }, 503)
    })
    const project = world.project()
    const [first, second] = [freshModel('small'), freshModel('small')]
    await project.bind('reader', [`local:${first}`, `local:${second}`])
    const leaving = new AbortController()
    const before = upstream.arrived.length
    const asked = project.post(CHAT, { model: 'reader', messages }, { signal: leaving.signal }).catch(() => undefined)
    await eventually(() => expect(upstream.arrived.length).toBeGreaterThan(before))
    leaving.abort()
    await asked
    await hasBeenHeard()
    fail()
    expect(await onlyRow(project)).toMatchObject({ model: first, metadata: { outcome: 'cancelled', attempts: 1 } })
    expect(upstream.arrived.filter(({ json }) => json['model'] === second)).toEqual([])
  })

  test('but ended only its own side of the connection is answered all the same', async () => {
    const project = world.project()
    const json = JSON.stringify({ model: freshModel('small'), messages })
    const { hostname, port } = new URL(world.url)
    const socket = connect(Number(port), hostname)
    const head = [`POST ${CHAT} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${project.key}`, 'Connection: close']
    const body = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(json)}`, '', json]
    socket.end([...head, ...body].join('\r\n'))
    expect(await text(socket)).toContain('Four words of answer')
    expect((await onlyRow(project))?.metadata.estimated).toBe(false)
  })

  test('leaves one row if the answer does not come, with what was asked as it is counted here', async () => {
    upstream.behave(() => undefined)
    const project = world.project()
    const leaving = new AbortController()
    const before = upstream.arrived.length
    const asked = project
      .post(CHAT, { model: freshModel('small'), messages }, { signal: leaving.signal })
      .catch(() => undefined)
    await eventually(() => expect(upstream.arrived.length).toBeGreaterThan(before))
    leaving.abort()
    await asked
    const row = await onlyRow(project)
    expect(row).toMatchObject({ output_tokens: 0, metadata: { outcome: 'cancelled', estimated: true } })
    expect(row?.input_tokens).toBeGreaterThan(10)
  })
})

describe('a request that an upstream had, and did not answer', () => {
  const troubles: readonly (readonly [string, Behaviour, string])[] = [
    ['keeps silent', () => undefined, 'timeout'],
    ['hangs up before its head', (outgoing) => void outgoing.destroy(), 'cut'],
    [
      'breaks off in the middle',
      (outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
        outgoing.write('{"choices":', () => outgoing.destroy())
      },
      'cut',
    ],
    ['answers what cannot be read', (outgoing) => answerJson(outgoing, '<html>busy</html>'), 'garbage'],
  ]

  test.each(troubles)('if it %s: its row has the tokens of the request, as they are counted here', async (...told) => {
    const [, behaviour, outcome] = told
    upstream.behave(behaviour)
    const project = world.project()
    const response = await project.post(CHAT, { model: freshModel('short'), messages })
    expect(response.status).toBe(502)
    await response.text()
    const row = await onlyRow(project)
    expect(row).toMatchObject({ output_tokens: 0, metadata: { outcome, estimated: true } })
    expect(row?.input_tokens).toBeGreaterThan(10)
  })

  test.each([
    ['before its content', 'cut', 1, () => undefined],
    ['after some of it', 'cut', 7, (send: (text: string) => void) => send('some words that were generated')],
  ])('if it breaks off a stream %s, has what the stream said of its usage', async (_, outcome, output, speak) => {
    upstream.behave((outgoing, arrived) => {
      void beginMessage(outgoing, arrived)
      speak((text) => sendEvent(outgoing, delta(text)))
      outgoing.end()
    })
    const project = world.project()
    const body = { model: freshModel('large'), max_tokens: 9, messages, stream }
    await (await project.post(MESSAGES, body)).text()
    const row = await onlyRow(project)
    expect(row).toMatchObject({ input_tokens: 11, cache_read_input_tokens: 4, metadata: { outcome, estimated: true } })
    expect(row?.output_tokens).toBeGreaterThanOrEqual(output)
  })
})

describe('an upstream that says why its answer ended, and then nothing more', () => {
  test('has answered: its caller has a whole stream, and it is not blamed', async () => {
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      for (const event of [chunk({ content: 'word' }), chunk({}, 'stop'), usageChunk()]) sendData(outgoing, event)
    })
    const project = world.project()
    // It may be silent for less time than such an end is waited for: that it is silent is no fault then, either.
    const response = await project.post(CHAT, { model: freshModel('short'), messages, stream })
    expect((await readData(response)).at(-1)).toBe('[DONE]')
    expect(await onlyRow(project)).toMatchObject({
      ...{ input_tokens: 21, output_tokens: 7 },
      metadata: { outcome: 'answered', estimated: false },
    })
  })
})

describe('a backend that fails before another one answers', () => {
  test('leaves what it said that it used, beside what the other one used', async () => {
    const [first, second] = [freshModel('large'), freshModel('small')]
    upstream.behave((outgoing, arrived) => {
      if (arrived.json['model'] === second) return wellBehaved(outgoing, arrived)
      void beginMessage(outgoing, arrived)
      outgoing.end()
    })
    const project = world.project()
    await project.bind('twice', [`claude:${first}`, `local:${second}`])
    await (await project.post(CHAT, { model: 'twice', messages, stream })).text()
    const row = await onlyRow(project)
    expect(row).toMatchObject({
      ...{ provider: 'local', input_tokens: 21, output_tokens: 7 },
      metadata: {
        ...{ outcome: 'answered', attempts: 2, estimated: false },
        failed_attempts: [{ provider: 'claude', model: first, outcome: 'cut', input_tokens: 15, output_tokens: 1 }],
      },
    })
  })

  test('leaves nothing of what it did not say, and what failed last is the row itself', async () => {
    const [first, second] = [freshModel('short'), freshModel('short')]
    const said = { error: { message: 'busy' }, usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } }
    upstream.behave((outgoing, { json }) => answerJson(outgoing, json['model'] === second ? said : { error: 'busy' }))
    const project = world.project()
    await project.bind('neither', [`short:${first}`, `short:${second}`])
    expect((await project.post(CHAT, { model: 'neither', messages })).status).toBe(502)
    const row = await onlyRow(project)
    expect(row).toMatchObject({ input_tokens: 5, output_tokens: 2, metadata: { attempts: 2 } })
    expect(row?.metadata).not.toHaveProperty('failed_attempts')
  })
})
