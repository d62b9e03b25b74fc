import { beforeEach, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type Authenticator, createAuthenticator } from '../../src/features/projects/authenticate.js'
import { createKeyHashing } from '../../src/features/projects/key-text.js'
import type { FoundKey } from '../../src/features/projects/store.js'
import { AppError } from '../../src/platform/errors.js'
import { ALWAYS_REACHED } from '../../src/platform/reach.js'

const hashing = createKeyHashing(undefined, undefined)
const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' as ProjectId
const row = (revoked: boolean): FoundKey => ({ keyId: 'k', projectId: PROJECT, role: 'write', revoked })

const SERVICE = { mode: 'open', adminKey: undefined } as const

let stored: FoundKey
let selects: number
let now: number
let age: number
/** The database is away: a SELECT fails. */
let away: boolean
/** Set: a SELECT has read its row and has not answered yet. */
let hold: Promise<void> | undefined
let authenticator: Authenticator
beforeEach(() => {
  ;[stored, selects, now, age, away, hold] = [row(false), 0, 1_000_000, 0, false, undefined]
  const findKey = async () => {
    selects += 1
    const read = stored
    await hold
    if (away) throw new AppError('database-unavailable', 'The database does not answer right now.')
    return read
  }
  const reach = { ...ALWAYS_REACHED, isAway: () => away }
  authenticator = createAuthenticator({
    ...{ findKey, hashing, ...SERVICE, ageMs: () => age, clock: () => now },
    ...{ reach, staleMsMax: 300_000 },
  })
})
const ask = async (key = 'key', purpose: 'read' | 'write' = 'read') => {
  try {
    return (await authenticator.authenticate(key, purpose)).projectId
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a key that is revoked', () => {
  it.each([
    ['its own message', () => authenticator.forget(hashing.hash('key'))],
    ['a message for all keys', () => authenticator.forget()],
  ])('while it is being loaded is not remembered as good: %s comes before the row', async (_what, hear) => {
    let answer: () => void = () => undefined
    hold = new Promise((resolve) => {
      answer = resolve
    })
    const first = ask()
    stored = row(true)
    hear()
    answer()
    // This request came before the revocation; the next one did not.
    expect(await first).toBe(PROJECT)
    expect(await ask()).toBe('key-unknown')
  })

  it('while it is being loaded is not given to who asks after the message, either', async () => {
    let answer: () => void = () => undefined
    hold = new Promise((resolve) => {
      answer = resolve
    })
    const before = ask()
    stored = row(true)
    authenticator.forget(hashing.hash('key'))
    hold = undefined
    const after = ask()
    answer()
    expect([await before, await after]).toEqual([PROJECT, 'key-unknown'])
  })

  it('is asked for again at its message, and other keys are not', async () => {
    await ask()
    await ask('other')
    stored = row(true)
    authenticator.forget(hashing.hash('key'))
    expect([await ask(), await ask('other'), selects]).toEqual(['key-unknown', PROJECT, 3])
  })

  it('is asked for again after messages may have been missed', async () => {
    await ask()
    stored = row(true)
    authenticator.suspectAll()
    expect(authenticator.recall('key', 'read')).toBeUndefined()
    expect(await ask()).toBe('key-unknown')
  })
})

describe('while the database is away', () => {
  /** As the listener is silent, too, the age of what is known grows with the time. */
  const pass = (ms: number) => {
    now += ms
    age += ms
  }
  const goAway = () => {
    away = true
    pass(2_000)
  }

  it('a key that was known stays known, for as long as the setting says and no longer', async () => {
    await ask()
    pass(1_000)
    goAway()
    expect(authenticator.recall('key', 'read')).toMatchObject({ projectId: PROJECT })
    pass(296_999)
    expect([await ask(), selects]).toEqual([PROJECT, 1])
    pass(1)
    expect(authenticator.recall('key', 'read')).toBeUndefined()
    expect(await ask()).toBe('database-unavailable')
  })

  it('it passes to read and not to write, for nothing says that it was not revoked elsewhere', async () => {
    await ask()
    goAway()
    expect(authenticator.recall('key', 'write')).toBeUndefined()
    expect(await ask('key', 'write')).toBe('database-unavailable')
  })

  it('no other key is known: not one that was refused or never seen, and none that was revoked before', async () => {
    stored = row(true)
    expect(await ask()).toBe('key-unknown')
    stored = row(false)
    await ask('revoked')
    authenticator.forget(hashing.hash('revoked'))
    goAway()
    expect([await ask(), await ask('never seen'), await ask('revoked')]).toEqual(Array(3).fill('database-unavailable'))
  })

  it('a key that may have missed its revocation is known since before that, and asked for once the database answers', async () => {
    await ask()
    pass(100_000)
    authenticator.suspectAll()
    age = 0
    goAway()
    pass(197_999)
    expect(await ask()).toBe(PROJECT)
    authenticator.suspectAll()
    pass(1)
    expect(await ask()).toBe('database-unavailable')
    stored = row(true)
    away = false
    expect(await ask()).toBe('key-unknown')
  })
})

describe('a key that is remembered', () => {
  it('costs no SELECT as long as other instances are heard', async () => {
    await ask()
    now += 3_600_000
    age = 1_999
    expect([await ask(), selects]).toEqual([PROJECT, 1])
  })

  it('is asked for again after two seconds once they are not', async () => {
    age = 2_000
    await ask()
    stored = row(true)
    now += 1_999
    expect(await ask()).toBe(PROJECT)
    now += 1
    expect(await ask()).toBe('key-unknown')
  })
})
