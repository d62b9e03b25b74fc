import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApi } from '../../src/client/api.js'
import { createClient } from '../../src/client/create-client.js'
import type { FollowState } from '../../src/client/follow.js'
import { CLIENT_LIMITS, type ClientLimits } from '../../src/client/limits.js'
import { createServerSource } from '../../src/client/server-source.js'
import { renderComment, renderEvent } from '../../src/http/stream/event-stream.js'
import { eventually } from '../support/eventually.js'

/** What a server, or something on the way, does with a request; real ones do none of it on demand. */
type Manner = (response: ServerResponse, query: URLSearchParams) => void

const QUICK: ClientLimits = {
  ...CLIENT_LIMITS,
  ...{ listPauseMs: 20, backoffFirstMs: 20, backoffMsMax: 100 },
}

let manners: { stream: Manner; poll: Manner; list: Manner }
const asked: { manner: string; query: URLSearchParams; etag: string | undefined }[] = []
const states: FollowState[] = []
const closing: (() => Promise<void>)[] = []
let url: string

beforeEach(async () => {
  asked.length = 0
  states.length = 0
  manners = { stream: status(500), poll: status(500), list: status(500) }
  const server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://x')
  const isStream = request.headers.accept === 'text/event-stream'
  const manner = pathname === '/api/v1/sync' ? (isStream ? 'stream' : 'poll') : 'list'
  asked.push({ manner, query, etag: request.headers['if-none-match'] })
  manners[manner](response, query)
}

function open(limits: Partial<ClientLimits> = {}) {
  const source = createServerSource({
    ...{ api: createApi({ url, key: 'k' }), profile: 'default', follows: true, random: Math.random },
    onChange: () => undefined,
    onState: (_profile, state) => states.push(state),
    limits: { ...QUICK, ...limits },
  })
  const client = createClient(source)
  closing.push(() => client.close())
  return client
}

const status =
  (code: number): Manner =>
  (response) =>
    response.writeHead(code, { 'Content-Type': 'application/problem+json' }).end('{"detail":"no"}')
const json =
  (body: unknown, headers: Record<string, string> = {}): Manner =>
  (response) =>
    response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body))
const change = (alias: string, revision: number) => ({
  ...{ op: 'upsert', profile: 'default', alias, revision, models: [`openai:m${revision}`] },
  ...{ constraints: null, metadata: null },
})
const delta = (revision: number, changes: unknown[], rest = {}) => {
  return { epoch: 'e1', revision, profile: 'default', reset: false, changes, ...rest }
}
const event = (body: { revision: number }) => renderEvent({ id: String(body.revision), data: JSON.stringify(body) })
/** A stream of these texts, which stays open unless it is told to end. */
const stream =
  (texts: readonly string[], end: 'open' | 'ends' | 'breaks' = 'open'): Manner =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    for (const text of ['retry: 20\n\n', ...texts]) response.write(text)
    if (end === 'ends') response.end()
    if (end === 'breaks') response.socket?.destroySoon()
  }
const inTurn = (...all: Manner[]): Manner => {
  let turn = 0
  return (...args) => (all[Math.min(turn++, all.length - 1)] as Manner)(...args)
}
const positions = (manner: string) =>
  asked.filter((one) => one.manner === manner).map(({ query }) => [query.get('since'), query.get('epoch')])
const by = () => states.map((state) => (state.status === 'live' ? state.by : 'away'))

describe('a client of a server', () => {
  it('reads everything once, then takes what the stream tells', async () => {
    manners.poll = json(delta(4, [change('a', 3), change('b', 4)]))
    manners.stream = stream([renderComment(''), event(delta(5, [change('a', 5), { ...change('b', 5), op: 'delete' }]))])
    const client = open()
    expect(await client.listAliases()).toMatchObject([{ alias: 'a' }, { alias: 'b' }])
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m5'))
    expect(await client.hasAlias('b')).toBe(false)
    expect(positions('poll')).toEqual([['0', null]])
    expect(positions('stream')).toEqual([['4', 'e1']])
    expect(by()).toEqual(['stream'])
  })

  it.each(['ends', 'breaks'] as const)('goes on where it stood after a stream that %s', async (end) => {
    manners.poll = json(delta(1, [change('a', 1)]))
    manners.stream = inTurn(
      stream([event(delta(2, [change('a', 2)])), 'data: {"half'], end),
      stream([event(delta(3, [change('a', 3)]))], end),
      stream([event(delta(4, [change('a', 4)]))]),
    )
    const client = open()
    await client.hasAlias('a')
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m4'))
    expect(positions('stream')).toEqual([
      ['1', 'e1'],
      ['2', 'e1'],
      ['3', 'e1'],
    ])
    expect(positions('poll')).toHaveLength(1)
  })

  it('answers what it knows while the server is away, and follows it again when it is back', async () => {
    manners.poll = json(delta(1, [change('a', 1)]))
    manners.stream = stream([], 'breaks')
    const client = open()
    await client.hasAlias('a')
    manners.stream = (response) => response.destroy()
    await eventually(() => expect(by().filter((one) => one === 'away').length).toBeGreaterThan(3))
    expect(states.at(-1)).toMatchObject({ error: { code: 'server-unreachable' } })
    expect(await client.resolveAlias('a')).toBe('openai:m1')
    manners.stream = stream([event(delta(2, [change('a', 2)]))])
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m2'))
  })

  it('says that it knows nothing while it was never answered, and asks again with the next call', async () => {
    manners.poll = (response) => response.destroy()
    const client = open()
    await expect(client.resolveAlias('a')).rejects.toMatchObject({ code: 'server-unreachable' })
    expect(await client.hasAlias('a')).toBe(false)
    manners.poll = status(401)
    await expect(client.resolveAlias('a')).rejects.toMatchObject({ code: 'server-refused', problem: { status: 401 } })
    manners.poll = json(delta(1, [change('a', 1)]))
    manners.stream = stream([])
    expect(await client.resolveAlias('a')).toBe('openai:m1')
  })

  it('asks once for callers that come together', async () => {
    manners.poll = json(delta(1, [change('a', 1)]))
    manners.stream = stream([])
    const client = open()
    await Promise.all(['a', 'a', 'b'].map((alias) => client.hasAlias(alias)))
    expect(positions('poll')).toHaveLength(1)
  })

  it('gives up a stream that says nothing any more, and asks for a new one', async () => {
    manners.poll = json(delta(1, [change('a', 1)]))
    manners.stream = inTurn(stream([]), stream([event(delta(2, [change('a', 2)]))]))
    const client = open({ streamSilenceMsMax: 300 })
    await client.hasAlias('a')
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m2'))
  })

  it.each([
    ['is refused', status(406)],
    ['is no stream', json(delta(1, []))],
    [
      'says nothing at all',
      ((response) => response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()) as Manner,
    ],
  ])('polls, and lets the server hold its answer, where a stream %s', async (_name, manner) => {
    manners.stream = manner
    manners.poll = inTurn(json(delta(1, [change('a', 1)])), json(delta(2, [change('a', 2)])), () => undefined)
    const client = open({ streamFirstBytesMsMax: 200 })
    await client.hasAlias('a')
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m2'))
    await eventually(() => expect(positions('poll')).toHaveLength(3))
    expect(asked.filter((one) => one.manner === 'poll').map(({ query }) => query.get('wait'))).toEqual([
      null,
      '25',
      '25',
    ])
    expect(positions('stream')).toHaveLength(1)
    expect(by()).toEqual(['held-poll'])
  })

  it('polls now and then where the server has no room for a watcher, until it has', async () => {
    manners.stream = inTurn(status(503), stream([event(delta(3, [change('a', 3)]))]))
    manners.poll = inTurn(json(delta(1, [change('a', 1)])), json(delta(2, [change('a', 2)])), json(delta(2, [])))
    const client = open({ busyMs: 300 })
    await client.hasAlias('a')
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m2'))
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m3'))
    expect(asked.filter((one) => one.manner === 'poll').map(({ query }) => query.get('wait'))).not.toContain('25')
    expect(by().slice(-1)).toEqual(['stream'])
  })

  it('reads lists of a server that knows neither, and sends back their entity tags', async () => {
    manners.stream = status(404)
    manners.poll = status(404)
    const listed = (model: string) => [{ id: 1, profile: 'default', alias: 'a', model, metadata: null }]
    const unchanged: Manner = (response) => response.writeHead(304).end()
    manners.list = inTurn(
      json(listed('openai:m1'), { ETag: '"1"' }),
      json(listed('openai:m1'), { ETag: '"1"' }),
      unchanged,
      json(listed('openai:m2'), { ETag: '"2"' }),
      unchanged,
    )
    const client = open()
    expect(await client.resolveAlias('a')).toBe('openai:m1')
    await eventually(async () => expect(await client.resolveAlias('a')).toBe('openai:m2'))
    await eventually(() => expect(asked.at(-1)?.etag).toBe('"2"'))
    expect(await client.resolveAlias('a')).toBe('openai:m2')
    expect(by().at(-1)).toBe('list')
  })

  it('begins anew where the server counts anew', async () => {
    manners.poll = inTurn(
      json(delta(9, [change('a', 8), change('b', 9)])),
      json(delta(2, [change('a', 2)], { epoch: 'e2' })),
    )
    manners.stream = inTurn(
      stream([event(delta(1, [change('c', 1)], { epoch: 'e2' }))]),
      stream([event(delta(1, [change('d', 1)], { epoch: 'e3', reset: true }))]),
    )
    const client = open()
    await client.hasAlias('a')
    await eventually(async () => expect(await client.listAliases()).toMatchObject([{ alias: 'd' }]))
    expect(positions('poll')).toEqual([
      ['0', null],
      ['0', null],
    ])
    expect(positions('stream')).toEqual([
      ['9', 'e1'],
      ['2', 'e2'],
    ])
  })

  it('takes what comes in several events at once: no alias is missing meanwhile', async () => {
    manners.poll = json(delta(2, [change('a', 1), change('b', 2)]))
    let end = (): void => undefined
    const first = event(delta(1, [change('a', 1)], { epoch: 'e2', reset: true, more: true }))
    manners.stream = inTurn((response, query) => {
      stream([first])(response, query)
      end = () => response.write(event(delta(4, [change('b', 4)], { epoch: 'e2' })))
    })
    const client = open()
    await client.hasAlias('a')
    await eventually(() => expect(by()).toEqual(['stream']))
    expect(await client.resolveAlias('b')).toBe('openai:m2')
    end()
    await eventually(async () => expect(await client.resolveAlias('b')).toBe('openai:m4'))
    expect(await client.resolveAlias('a')).toBe('openai:m1')
  })

  it('ends its connection when it is closed, and still resolves', async () => {
    manners.poll = json(delta(1, [change('a', 1)]))
    let isOpen = false
    manners.stream = (response, query) => {
      isOpen = true
      response.once('close', () => {
        isOpen = false
      })
      stream([])(response, query)
    }
    const client = open()
    await client.hasAlias('a')
    await eventually(() => expect(isOpen).toBe(true))
    await client.close()
    await eventually(() => expect(isOpen).toBe(false))
    expect(await client.resolveAlias('a')).toBe('openai:m1')
  })
})
