import { describe, expect, it } from 'vitest'
import { NO_PROJECT } from '../../src/access/principal.js'
import { createAuthenticator } from '../../src/features/projects/authenticate.js'
import { createKeyHashing } from '../../src/features/projects/key-text.js'
import { ALWAYS_REACHED } from '../../src/platform/reach.js'

const KEY = 'a key'
/** The promise of README: a revocation is effective within two seconds, on every instance. */
const PROMISED_MS = 2_000

/** An authenticator over one key; what the database says, the time and the age of its knowledge are the test's. */
function world() {
  const state = { nowMs: 0, ageMs: 0, revoked: false, questions: 0 }
  const hashing = createKeyHashing(undefined, undefined)
  const { authenticate, recall, forget } = createAuthenticator({
    findKey: async () => {
      state.questions += 1
      return { keyId: 'key', projectId: NO_PROJECT, role: 'write', revoked: state.revoked }
    },
    hashing,
    mode: 'closed',
    adminKey: undefined,
    ageMs: () => state.ageMs,
    reach: ALWAYS_REACHED,
    staleMsMax: 0,
    clock: () => state.nowMs,
  })
  const ask = async () => authenticate(KEY, 'read')
  return { state, hashing, ask, recall: () => recall(KEY, 'read'), forget }
}

describe('a key that is revoked after it was accepted', () => {
  it('is refused within two seconds by an instance that heard nothing of it', async () => {
    const { state, ask, recall } = world()
    await ask()
    state.revoked = true
    // As the listener is lost unnoticed, the age of what the instance knows grows with the time.
    state.nowMs = state.ageMs = PROMISED_MS - 1
    expect(await ask()).toMatchObject({ keyId: 'key' })
    state.nowMs = state.ageMs = PROMISED_MS
    expect(recall()).toBeUndefined()
    await expect(ask()).rejects.toMatchObject({ code: 'key-unknown' })
    expect(state.questions).toBe(2)
  })

  it('is refused within two seconds however long it had been accepted before', async () => {
    const { state, ask } = world()
    await ask()
    state.nowMs = 3_600_000
    expect(await ask()).toMatchObject({ keyId: 'key' })
    expect(state.questions).toBe(1)
    state.revoked = true
    state.nowMs += PROMISED_MS
    state.ageMs = PROMISED_MS
    await expect(ask()).rejects.toMatchObject({ code: 'key-unknown' })
  })

  it('is refused at once by an instance that heard of it, even if the answer was on its way meanwhile', async () => {
    const { state, hashing, ask, forget } = world()
    await ask()
    state.revoked = true
    forget(hashing.hash(KEY))
    await expect(ask()).rejects.toMatchObject({ code: 'key-unknown' })

    const other = world()
    const onItsWay = other.ask()
    other.state.revoked = true
    other.forget(hashing.hash(KEY))
    await onItsWay
    await expect(other.ask()).rejects.toMatchObject({ code: 'key-unknown' })
  })
})
