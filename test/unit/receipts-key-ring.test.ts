import { afterEach, describe, expect, it, vi } from 'vitest'
import { createKeyRing, type KeyRing } from '../../src/features/receipts/keys/key-ring.js'
import type { SigningKey } from '../../src/features/receipts/keys/signing-keys.js'
import { RECEIPT_LIMITS } from '../../src/features/receipts/limits.js'
import type { KeyRow } from '../../src/features/receipts/store.js'
import { createLogger } from '../../src/platform/logger.js'
import { signerOfByte } from './proof-fixtures.js'

afterEach(() => {
  vi.useRealTimers()
})

type Answer = readonly KeyRow[] | Error
type Pending = { resolve(rows: readonly KeyRow[]): void }

const row = (keyId: string, byte: number, notBefore = 0, notAfter: number | null = null): KeyRow => ({
  keyId,
  publicKey: Buffer.from(signerOfByte(byte).key.bytes),
  notBefore: new Date(notBefore),
  notAfter: notAfter === null ? null : new Date(notAfter),
})
const own: SigningKey = { keyId: 'own', publicKey: signerOfByte(1).key, sign: null }

function ringOn(answers: readonly Answer[], key: SigningKey | null = own) {
  const state = { now: 0, reads: 0 }
  const ring = createKeyRing({
    own: key,
    clock: () => state.now,
    logger: createLogger('silent'),
    listKeys: async () => {
      const answer = answers[Math.min(state.reads, answers.length - 1)]
      state.reads += 1
      if (answer instanceof Error) throw answer
      return answer ?? []
    },
  })
  return { ring, state }
}

const ids = (ring: KeyRing) => [...ring.known().keys()]

describe('the keys that are known', () => {
  it('are our own before anything was read, and nothing where there is none', () => {
    expect(ids(ringOn([[]]).ring)).toEqual(['own'])
    expect(ids(ringOn([[]], null).ring)).toEqual([])
  })

  it('are our own first, then the listed ones in their order', async () => {
    const { ring } = ringOn([[row('newer', 2, 20), row('own', 1, 10, 20), row('older', 3, 0, 10)]])
    await ring.load()
    expect(ids(ring)).toEqual(['own', 'newer', 'older'])
    expect(ring.listed()[0]).toMatchObject({ notBefore: new Date(10), notAfter: new Date(20) })
  })

  it('never hold a listed key that fails the verification rule', async () => {
    const lowOrder = { ...row('planted', 2), publicKey: Buffer.from(`01${'00'.repeat(31)}`, 'hex') }
    const { ring } = ringOn([[lowOrder, row('good', 3)]])
    await ring.load()
    expect(ids(ring)).toEqual(['own', 'good'])
  })

  it('keep their identity when they are read again, so that what is cached for them stays', async () => {
    const { ring } = ringOn([[row('other', 2)]])
    await ring.load()
    const before = ring.known().get('other')
    await ring.load()
    expect(ring.known().get('other')).toBe(before)
  })

  it('are not taken back by a slow answer to an earlier question', async () => {
    const pending: Pending[] = []
    const listKeys = () => new Promise<readonly KeyRow[]>((resolve) => pending.push({ resolve }))
    const ring = createKeyRing({ own, clock: () => 0, logger: createLogger('silent'), listKeys })
    const slow = ring.load()
    const quick = ring.load()
    pending[1]?.resolve([row('new', 2)])
    await quick
    pending[0]?.resolve([])
    await slow
    expect(ids(ring)).toEqual(['own', 'new'])
  })
})

describe('looking for new keys', () => {
  it('asks the database at most once a second, however many ask', async () => {
    const { ring, state } = ringOn([[], [row('new', 2)]])
    await ring.load()
    for (let asked = 0; asked < 50; asked += 1) await ring.refresh()
    expect([state.reads, ids(ring)]).toEqual([1, ['own']])
    state.now = 999
    await ring.refresh()
    expect(state.reads).toBe(1)
    state.now = 1_000
    await Promise.all(Array.from({ length: 50 }, () => ring.refresh()))
    expect([state.reads, ids(ring)]).toEqual([2, ['own', 'new']])
  })

  it('passes on that the keys could not be read, and tries again after a second', async () => {
    const { ring, state } = ringOn([new Error('away'), [row('new', 2)]])
    await expect(ring.refresh()).rejects.toThrow('away')
    await expect(ring.refresh()).rejects.toThrow('away')
    expect([state.reads, ids(ring)]).toEqual([1, ['own']])
    state.now = 1_000
    await ring.refresh()
    expect(ids(ring)).toEqual(['own', 'new'])
  })

  it('gives up a database that does not answer, while the keys that are known can be had', async () => {
    vi.useFakeTimers()
    const listKeys = () => new Promise<never>(() => undefined)
    const ring = createKeyRing({ own, clock: () => 0, logger: createLogger('silent'), listKeys })
    const looked = expect(ring.refresh()).rejects.toMatchObject({ code: 'database-unavailable' })
    await vi.advanceTimersByTimeAsync(RECEIPT_LIMITS.keysReadMsMax)
    await looked
    expect(ids(ring)).toEqual(['own'])
  })

  it('logs an outage once, however many ask meanwhile', async () => {
    const logger = createLogger('silent')
    const warned = vi.spyOn(logger, 'warn')
    let now = 0
    const listKeys = () => Promise.reject(new Error('away'))
    const ring = createKeyRing({ own, clock: () => now, logger, listKeys })
    for (; now < 5_000; now += 500) await expect(ring.refresh()).rejects.toThrow('away')
    expect(warned).toHaveBeenCalledOnce()
  })

  it('goes on after the clock was set back', async () => {
    const { ring, state } = ringOn([[], [row('new', 2)]])
    state.now = 1_000_000
    await ring.load()
    state.now = 0
    await ring.refresh()
    expect(ids(ring)).toEqual(['own', 'new'])
  })
})
