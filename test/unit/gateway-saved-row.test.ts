import { beforeEach, describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import type { CallSlot, ObservedCall } from '../../src/features/gateway/account/account.js'
import { createSavedRow, type SavedDeps, watchSlot } from '../../src/features/gateway/account/saved-row.js'
import { readCacheWish } from '../../src/features/gateway/cache/cache-wish.js'
import type { ChatCall } from '../../src/features/gateway/call.js'
import { observedCall } from '../support/observed-call.js'

let rows: ObservedCall[] = []
let released = 0
let now = 0
let commit: () => void = () => undefined
beforeEach(() => {
  rows = []
  released = 0
  now = 1_000
})

const slot = (): CallSlot => ({
  record: (observed) => {
    rows.push(observed)
    const committed = new Promise<void>((resolve) => {
      commit = resolve
    })
    const row = { id: 'r', loggedAt: 'now', cost: '0.25', status: 'reported', registryVersion: null, unitPrices: null }
    return { row, committed }
  },
  release: () => {
    released += 1
  },
})
const deps = (more: Partial<SavedDeps> = {}): SavedDeps => ({
  ...{ keepRoom: slot, clock: () => now, isDurable: false, keep: () => undefined },
  ...more,
})
const call = (signal = new AbortController().signal): ChatCall => ({
  ...{ projectId: 'p' as unknown as ProjectId, keyId: null, surface: 'openai', body: {}, isStream: false },
  ...{
    wantsUsage: false,
    requestedModel: 'helper',
    alias: 'helper',
    profile: 'default',
    wantsReceipt: false,
    receiptId: null,
  },
  ...{ passedHeaders: {}, cacheWish: readCacheWish(() => undefined), signal },
})
const made = { provider: 'local', model: 'small', cost: '0.25', outcome: 'answered' }

describe('the row of an answer that cost nothing', () => {
  test('names who gave it once, and what it saved', async () => {
    const row = createSavedRow(deps(), call())
    now += 12.3456
    await row.settle('HIT', made)
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      provider: 'local',
      model: 'small',
      alias: 'helper',
      costPico: 0n,
      latencyMs: 12.346,
    })
    expect(rows[0]?.tokens).toMatchObject({ input_tokens: 0, output_tokens: 0 })
    expect(JSON.parse(rows[0]?.metadata ?? '')).toEqual({
      ...{ requested_model: 'helper', outcome: 'answered', attempts: 0, stream: false, estimated: false },
      ...{ cache: 'HIT', saved_cost: '0.25' },
    })
  })

  test('is written once', async () => {
    const row = createSavedRow(deps(), call())
    await row.settle('HIT', made)
    await row.settle('COALESCED', { ...made, outcome: 'cut' })
    expect(rows).toHaveLength(1)
  })

  test('says that its caller left, and then claims to have saved nothing', async () => {
    const leaving = new AbortController()
    const row = createSavedRow(deps(), call(leaving.signal))
    leaving.abort()
    await row.settle('COALESCED', made)
    const metadata = JSON.parse(rows[0]?.metadata ?? '')
    expect(metadata.outcome).toBe('cancelled')
    expect(metadata.saved_cost).toBeUndefined()
  })

  test('says how a shared call failed', async () => {
    await createSavedRow(deps(), call()).settle('COALESCED', { ...made, outcome: 'status 500' })
    expect(JSON.parse(rows[0]?.metadata ?? '')).toMatchObject({ outcome: 'status 500', cache: 'COALESCED' })
  })

  test('is none if no call was made: its room is given back', async () => {
    await createSavedRow(deps(), call()).settle('COALESCED', null)
    expect([rows.length, released]).toEqual([0, 1])
  })

  test('is waited for only if accounting is durable', async () => {
    await createSavedRow(deps(), call()).settle('HIT', made)
    let isSettled = false
    const settled = createSavedRow(deps({ isDurable: true }), call())
      .settle('HIT', made)
      .then(() => {
        isSettled = true
      })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isSettled).toBe(false)
    commit()
    await settled
  })

  test('takes its room at once, so that there is none too little later', () => {
    const full = () => {
      throw new Error('no room')
    }
    expect(() => createSavedRow(deps({ keepRoom: full }), call())).toThrow('no room')
  })
})

describe('a watched room', () => {
  test('remembers what went in, and passes everything on', () => {
    const watched = watchSlot(slot)
    expect(watched.row()).toBeNull()
    const room = watched.keepRoom(call())
    const observed = observedCall({ outcome: 'answered' })
    expect(room.record(observed).row.cost).toBe('0.25')
    expect(rows).toEqual([observed])
    expect(watched.row()).toEqual(made)
    room.release()
    expect(released).toBe(1)
  })

  test('counts what the choice of a cheaper backend saved, which a later answer saves too', () => {
    const watched = watchSlot(slot)
    watched.keepRoom(call()).record(observedCall({ outcome: 'answered', saved_cost: '1.5' }))
    expect(Number(watched.row()?.cost)).toBe(1.75)
  })
})
