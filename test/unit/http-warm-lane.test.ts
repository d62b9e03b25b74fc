import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { NO_PROJECT, type Principal, PUBLIC } from '../../src/access/principal.js'
import { createWarmLane, type Warm } from '../../src/http/listen/warm-lane.js'

const ANYBODY: Principal = { projectId: NO_PROJECT, role: 'read', keyId: null, newKey: null }

/** A lane with these routes, each of which answers what it was asked for. */
function openLane(routes: readonly { readonly path: string; readonly isDeep?: boolean }[]) {
  const lane = createWarmLane(() => ANYBODY)
  const respond: Warm = ({ segment, query }) => ({
    status: 200,
    headers: {},
    body: `${segment ?? '-'} ${query || '-'}`,
  })
  for (const route of routes) lane.add({ ...route, access: PUBLIC, respond })
  return (url: string, rest: Partial<IncomingMessage> = {}): string | undefined => {
    const headers = { host: '127.0.0.1:8000' }
    const incoming = { method: 'GET', url, headers, rawHeaders: [], httpVersionMinor: 1, ...rest }
    const outcome = lane.answer(incoming as unknown as IncomingMessage)
    if (outcome === undefined || outcome.response instanceof Error) return undefined
    return `${outcome.route}: ${String(outcome.response.body)}`
  }
}

const TILES = { path: '/log/tile/{level}/{index}', isDeep: true }

describe('a route whose last parameter takes all that follows', () => {
  const ask = openLane([TILES, { path: '/log/checkpoint' }])

  it.each([
    ['/log/tile/0/000', '0/000 -'],
    ['/log/tile/0/x001/067', '0/x001/067 -'],
    ['/log/tile/1/x001/x234/067.p/12', '1/x001/x234/067.p/12 -'],
    ['/log/tile/entries/000.p/3', 'entries/000.p/3 -'],
    ['/log/tile/0/000?a=b', '0/000 a=b'],
  ])('answers %s', (url, answer) => {
    expect(ask(url)).toBe(`${TILES.path}: ${answer}`)
  })

  it.each([
    ...[
      '/log/tile/',
      '/log/tile/0/',
      '/log/tile//000',
      '/log/tile/0/../000',
      '/log/tile/./000',
      '/log/tile/0/%30%30%30',
    ],
    ...['/log/tile', '/log/tiles/0/000', '/LOG/tile/0/000', '/log/tile/0/000//', '/other/log/tile/0/000'],
  ])('leaves %s, which is not plain or another path, to the ordinary way', (url) => {
    expect(ask(url)).toBeUndefined()
  })

  it('leaves an exact route of the same beginning to itself', () => {
    expect(ask('/log/checkpoint')).toBe('/log/checkpoint: - -')
    expect(ask('/log/checkpoint/')).toBe('/log/checkpoint: - -')
  })

  it('answers GET and HEAD alone, and nothing with a body or an origin', () => {
    expect(ask('/log/tile/0/000', { method: 'HEAD' })).toBeDefined()
    expect(ask('/log/tile/0/000', { method: 'POST' })).toBeUndefined()
    for (const name of ['origin', 'content-length', 'transfer-encoding', 'expect']) {
      expect(ask('/log/tile/0/000', { headers: { host: '127.0.0.1:8000', [name]: '1' } })).toBeUndefined()
    }
    expect(ask('/log/tile/0/000', { headers: { host: 'two words' } })).toBeUndefined()
  })
})

describe('a route that ends with one parameter', () => {
  const ask = openLane([{ path: '/api/v1/aliases/{alias}' }, { path: '/api/v1/aliases/' }, TILES])

  it('takes one segment, and no more', () => {
    expect(ask('/api/v1/aliases/summarizer')).toBe('/api/v1/aliases/{alias}: summarizer -')
    expect(ask('/api/v1/aliases/a/b')).toBeUndefined()
    expect(ask('/api/v1/aliases/')).toBe('/api/v1/aliases/: - -')
    expect(ask('/api/v1/aliases/..')).toBeUndefined()
  })
})

it('a response that cannot be made from memory is left to the ordinary way', () => {
  const lane = createWarmLane(() => ANYBODY)
  const fail: Warm = () => {
    throw new Error('no')
  }
  lane.add({ path: '/a', access: PUBLIC, respond: fail })
  lane.add({ path: '/b', access: PUBLIC, respond: () => undefined })
  for (const url of ['/a', '/b']) {
    const incoming = { method: 'GET', url, headers: { host: 'localhost' }, rawHeaders: [], httpVersionMinor: 1 }
    expect(lane.answer(incoming as unknown as IncomingMessage)).toBeUndefined()
  }
})
