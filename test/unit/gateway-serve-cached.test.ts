import { beforeEach, describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import type { Backend } from '../../src/core/routing/index.js'
import type { CallSlot, ObservedCall } from '../../src/features/gateway/account/account.js'
import { createAnswerCache } from '../../src/features/gateway/cache/answer-cache.js'
import { readCacheWish } from '../../src/features/gateway/cache/cache-wish.js'
import { createFlights } from '../../src/features/gateway/cache/flights.js'
import { createMemoryAnswers } from '../../src/features/gateway/cache/memory-answers.js'
import {
  type CachedDeps,
  type Serve,
  type SharedAnswer,
  serveCached,
} from '../../src/features/gateway/cache/serve-cached.js'
import type { ChatCall, Served } from '../../src/features/gateway/call.js'
import { observedCall } from '../support/observed-call.js'

let rows: ObservedCall[] = []
let rooms = 0
let roomsMax = Number.POSITIVE_INFINITY
let calls = 0
beforeEach(() => {
  rows = []
  rooms = 0
  roomsMax = Number.POSITIVE_INFINITY
  calls = 0
})

function keepRoom(): CallSlot {
  if (rooms >= roomsMax) throw new Error('no room')
  rooms += 1
  return {
    record: (observed) => {
      rows.push(observed)
      const row = { id: 'r', loggedAt: '', cost: '0.25', status: 'reported', registryVersion: null, unitPrices: null }
      return { row, committed: Promise.resolve() }
    },
    release: () => {
      rooms -= 1
    },
  }
}

const open = (): CachedDeps => ({
  ...{ keepRoom, clock: () => 0, isDurable: false, keep: () => undefined, ttlSeconds: 300 },
  cache: createAnswerCache(createMemoryAnswers(100), 0.85),
  flights: createFlights<SharedAnswer>(),
})
const backend = (model: string): Backend => ({
  ...{ provider: 'local', model, tier: 2, costPerThousandIn: 0, costPerThousandOut: 0, priority: 1, order: 0 },
})
const who = (models = ['small'], bound: readonly string[] | null = null) => ({
  bound,
  candidates: models.map(backend),
})
const call = (more: Partial<ChatCall> = {}): ChatCall => ({
  ...{ projectId: 'p' as unknown as ProjectId, keyId: null, surface: 'openai', isStream: false, wantsUsage: false },
  ...{
    requestedModel: 'helper',
    alias: null,
    profile: 'default',
    wantsReceipt: false,
    receiptId: null,
    passedHeaders: {},
  },
  body: { model: 'helper', temperature: 0, messages: [{ role: 'user', content: 'What is the capital of France?' }] },
  cacheWish: readCacheWish(() => undefined),
  signal: new AbortController().signal,
  ...more,
})

const HEADERS = { 'X-LLM-Router-Model': 'local:small', 'X-LLM-Router-Tier': '2', 'X-LLM-Router-Attempts': '1' }
const record = (slot: CallSlot, outcome: string) => slot.record(observedCall({ outcome, cache: 'MISS' }))

/** Lets what was answered be kept. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Answers each call with its number, once it may. */
const serveAfter =
  (told: Promise<unknown> = Promise.resolve(), outcome = 'answered'): Serve =>
  async (one, room) => {
    calls += 1
    const number = calls
    const slot = room(one)
    await told
    record(slot, outcome)
    if (outcome !== 'answered') throw new Error(outcome)
    return { answer: { kind: 'whole', body: `answer ${number}` }, headers: HEADERS }
  }

const shown = async (served: Promise<Served>) => {
  const { answer, headers } = await served
  return `${headers['X-LLM-Router-Cache'] ?? 'none'} ${answer.kind === 'whole' ? answer.body : 'stream'}`
}
const outcomes = () => rows.map(({ metadata }) => `${JSON.parse(metadata).cache} ${JSON.parse(metadata).outcome}`)

describe('a call that may be answered again', () => {
  test('is keyed by who may answer, whatever the order in which they would be asked', async () => {
    const deps = open()
    expect(await shown(serveCached(deps, call(), who(['small', 'large']), serveAfter()))).toBe('MISS answer 1')
    expect(await shown(serveCached(deps, call(), who(['large', 'small']), serveAfter()))).toBe('HIT answer 1')
    expect(await shown(serveCached(deps, call(), who(['large']), serveAfter()))).toBe('MISS answer 2')
  })

  test('is keyed by what its alias is bound to, in that order', async () => {
    const deps = open()
    const both = ['small', 'large']
    await serveCached(deps, call(), who(both, ['local:small', 'local:large']), serveAfter())
    const turned = serveCached(deps, call(), who(both, ['local:large', 'local:small']), serveAfter())
    expect(await shown(turned)).toBe('MISS answer 2')
  })

  test.each<[string, Partial<ChatCall>]>([
    ['for a receipt', { wantsReceipt: true }],
    ['with a temperature', { body: { model: 'helper', temperature: 1, messages: [] } }],
    ['under no-store', { cacheWish: readCacheWish(() => 'no-store') }],
    ['with a number that may have been misread', { body: { ...call().body, seed: 2 ** 60 } }],
  ])('is none %s', async (_, more) => {
    const deps = open()
    const served = [1, 2].map(() => shown(serveCached(deps, call(more), who(), serveAfter())))
    expect(await Promise.all(served)).toEqual(['none answer 1', 'none answer 2'])
  })
})

describe('a stream', () => {
  const streaming = { isStream: true }
  /** Its row is written before its last frame. */
  const streamOf =
    (outcome: string): Serve =>
    async (one, room) => {
      calls += 1
      const slot = room(one)
      async function* frames() {
        yield 'first '
        record(slot, outcome)
        yield outcome
      }
      return { answer: { kind: 'stream', frames: frames() }, headers: HEADERS }
    }
  const readAll = async (served: Promise<Served>) => {
    const { answer, headers } = await served
    let text = headers['X-LLM-Router-Cache'] ?? ''
    if (answer.kind === 'stream') for await (const frame of answer.frames) text += ` ${frame}`
    return text
  }

  test('is kept if its row says that it was answered', async () => {
    const deps = open()
    expect(await readAll(serveCached(deps, call(streaming), who(), streamOf('answered')))).toBe('MISS first  answered')
    await turn()
    expect(await readAll(serveCached(deps, call(streaming), who(), streamOf('answered')))).toBe('HIT first answered')
    await turn()
    expect([calls, deps.flights.count()]).toEqual([1, 0])
  })

  test.each(['cut', 'cancelled', 'timeout'])('is not kept if its row says %s', async (outcome) => {
    const deps = open()
    for (let time = 0; time < 2; time += 1) {
      const read = await readAll(serveCached(deps, call(streaming), who(), streamOf(outcome)))
      expect(read).toBe(`MISS first  ${outcome}`)
      await turn()
    }
    expect([calls, deps.flights.count()]).toEqual([2, 0])
  })

  test('is shared, and each who reads it leaves a row', async () => {
    const deps = open()
    const served = [1, 2].map(() => readAll(serveCached(deps, call(streaming), who(), streamOf('answered'))))
    expect(await Promise.all(served)).toEqual(['MISS first  answered', 'COALESCED first  answered'])
    expect(outcomes().sort()).toEqual(['COALESCED answered', 'MISS answered'])
  })

  test('that is left before it was read counts as cancelled for who left', async () => {
    const deps = open()
    const leaving = new AbortController()
    const first = serveCached(deps, call(streaming), who(), streamOf('answered'))
    const second = serveCached(deps, call({ ...streaming, signal: leaving.signal }), who(), streamOf('answered'))
    await second
    leaving.abort()
    expect(await readAll(first)).toBe('MISS first  answered')
    expect(outcomes().sort()).toEqual(['COALESCED cancelled', 'MISS answered'])
    await turn()
    expect(deps.flights.count()).toBe(0)
  })
})

describe('calls that share one', () => {
  test('leave a row each, of which one cost something', async () => {
    const deps = open()
    const served = [1, 2, 3].map(() => shown(serveCached(deps, call(), who(), serveAfter())))
    expect(await Promise.all(served)).toEqual(['MISS answer 1', 'COALESCED answer 1', 'COALESCED answer 1'])
    expect(outcomes().sort()).toEqual(['COALESCED answered', 'COALESCED answered', 'MISS answered'])
    expect(rows.filter(({ costPico }) => costPico === 0n)).toHaveLength(2)
  })

  test('share a failure and leave a row each; the next is made anew', async () => {
    const deps = open()
    const served = [1, 2].map(() => serveCached(deps, call(), who(), serveAfter(undefined, 'status 500')))
    expect((await Promise.allSettled(served)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(served[1]).rejects.toThrow('status 500')
    expect(outcomes().sort()).toEqual(['COALESCED status 500', 'MISS status 500'])
    expect(await shown(serveCached(deps, call(), who(), serveAfter()))).toBe('MISS answer 2')
  })

  test('are refused without room for their own row, and then do not count as aboard', async () => {
    const deps = open()
    let tell: () => void = () => undefined
    const told = new Promise<void>((resolve) => {
      tell = resolve
    })
    const first = serveCached(deps, call(), who(), serveAfter(told))
    while (calls === 0) await new Promise((resolve) => setImmediate(resolve))
    roomsMax = rooms
    await expect(serveCached(deps, call(), who(), serveAfter())).rejects.toThrow('no room')
    expect(deps.flights.count()).toBe(1)
    tell()
    expect(await shown(first)).toBe('MISS answer 1')
  })

  test('give their room back if there was none for the call itself', async () => {
    const deps = open()
    const refusing: Serve = async () => {
      throw new Error('too many calls')
    }
    const served = [1, 2].map(() => serveCached(deps, call(), who(), refusing))
    for (const one of served) await expect(one).rejects.toThrow('too many calls')
    expect([rooms, rows.length, deps.flights.count()]).toEqual([0, 0, 0])
  })

  test('that were asked for anew are made each, and renew what is kept', async () => {
    const deps = open()
    const cacheWish = readCacheWish((name) => (name === 'x-llm-router-cache' ? 'no-cache' : undefined))
    const served = [1, 2].map(() => shown(serveCached(deps, call({ cacheWish }), who(), serveAfter())))
    expect(await Promise.all(served)).toEqual(['MISS answer 1', 'MISS answer 2'])
    expect(await shown(serveCached(deps, call(), who(), serveAfter()))).toBe('HIT answer 2')
  })
})
