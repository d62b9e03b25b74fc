import { beforeEach, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type Authenticator, createAuthenticator } from '../../src/features/projects/authenticate.js'
import { createKeyHashing } from '../../src/features/projects/key-text.js'
import type { FoundKey } from '../../src/features/projects/store.js'

const hashing = createKeyHashing(undefined, undefined)
const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' as ProjectId
const row = (revoked: boolean): FoundKey => ({ keyId: 'k', projectId: PROJECT, role: 'write', revoked })

const SERVICE = { mode: 'open', adminKey: undefined } as const

let stored: FoundKey
let selects: number
let now: number
let age: number
/** Set: a SELECT has read its row and has not answered yet. */
let hold: Promise<void> | undefined
let authenticator: Authenticator
beforeEach(() => {
  ;[stored, selects, now, age, hold] = [row(false), 0, 1_000_000, 0, undefined]
  const findKey = async () => {
    selects += 1
    const read = stored
    await hold
    return read
  }
  authenticator = createAuthenticator({ findKey, hashing, ...SERVICE, ageMs: () => age, clock: () => now })
})
const ask = async (key = 'key') => {
  try {
    return (await authenticator.authenticate(key)).projectId
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
    authenticator.forget()
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
