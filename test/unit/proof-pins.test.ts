import { describe, expect, test } from 'vitest'
import { boundedStream } from '../../src/cli/verify/bounded-files.js'
import { createHistory, readPins } from '../../src/core/proof/index.js'
import { embeddedTerms } from '../../src/core/proof/pins.js'
import { entryOf, readFacts } from '../../src/core/proof/receipt-facts.js'
import { AuditLog, bytes, chainOf, keysText, OTHER_ORIGIN, policyText } from '../support/audit-world.js'
import { nodeVerifier } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

const deps = { ...nodeVerifier(), sha256 }
const none = { keys: null, policy: null, checkpoints: [] }
const log = new AuditLog(chainOf(2))

describe('what an auditor relies on', () => {
  test('is read from keys, a policy and kept checkpoints, each of which may be missing', async () => {
    expect(await readPins(deps, none)).toEqual({ ok: true, keys: null, policy: null, kept: [] })
    const all = { keys: bytes(keysText()), policy: bytes(policyText()), checkpoints: [log.noteBytes()] }
    const pins = await readPins(deps, all)
    if (!pins.ok) throw new Error(pins.detail)
    expect([...(pins.keys?.keys() ?? [])]).toEqual(['key-1'])
    expect(pins.policy?.witnesses).toHaveLength(2)
    expect(pins.kept).toMatchObject([{ isSigned: true, quorumMet: true, checkpoint: { size: 4 } }])
  })

  test('is refused as a whole if a part of it is no good: nothing is judged by a mistake', async () => {
    const policy = bytes(policyText())
    const cases = [
      [{ ...none, keys: bytes('{') }, 'keys'],
      [{ ...none, keys: bytes(`{"keys":[],${keysText().slice(1)}`) }, 'keys'],
      [{ ...none, keys: bytes(' '.repeat(600_000)) }, 'keys'],
      [{ ...none, policy: bytes('quorum all\n') }, 'policy'],
      [{ ...none, policy, checkpoints: [bytes('nothing')] }, 'checkpoint'],
      [{ ...none, policy, checkpoints: [new AuditLog([], OTHER_ORIGIN).noteBytes()] }, 'checkpoint'],
      [{ ...none, checkpoints: [log.noteBytes()] }, 'checkpoint'],
    ] as const
    for (const [files, what] of cases) expect(await readPins(deps, files)).toMatchObject({ ok: false, what })
  })

  test('comes from the file itself only where it is not pinned', async () => {
    const pinned = await readPins(deps, { ...none, keys: bytes(keysText()) })
    if (!pinned.ok) throw new Error(pinned.detail)
    const terms = { ...pinned, project: null, anyTime: false, history: createHistory() }
    const embedded = { keys: JSON.parse(keysText({}, 9)), policy: policyText() }
    const filled = embeddedTerms(deps, terms, embedded)
    expect(filled.keys).toBe(pinned.keys)
    expect(filled.policy?.logs).toHaveLength(1)
    expect(filled.embedded).toBe(true)
    expect(embeddedTerms(deps, filled, embedded).embedded).toBe(false)
    expect(embeddedTerms(deps, terms, { keys: 7, policy: 'nothing' })).toMatchObject({ policy: null, embedded: false })
  })
})

describe('what a receipt says of itself', () => {
  test('is null where it says nothing, or something of another kind', () => {
    const nothing = { issuer: null, project: null, seq: null, prev: null, origin: null, mergeDelaySeconds: null }
    expect(readFacts({})).toEqual({ issuedAt: null, ...nothing })
    expect(readFacts({ seq: 0, prev: 7, project: [], log: 'x', issuer: {} })).toEqual({ issuedAt: null, ...nothing })
    expect(readFacts({ issued_at: 'yesterday', log: { max_merge_delay_seconds: -1 } })).toEqual({
      issuedAt: 'unreadable',
      ...nothing,
    })
  })

  test('has an entry if it has canonical bytes', () => {
    expect(entryOf(sha256, { b: 1, a: 2 })).toEqual(sha256(bytes('{"a":2,"b":1}')))
    expect(entryOf(sha256, { a: 2 ** 60 })).toBeNull()
  })
})

test('a stream is read up to its limit, and no further', async () => {
  let given = 0
  async function* chunks() {
    for (; given < 100; given += 1) yield new Uint8Array(10)
  }
  const read = async () => {
    let length = 0
    for await (const chunk of boundedStream(chunks(), 35)) length += chunk.length
    return length
  }
  await expect(read()).rejects.toThrow('longer than 35 bytes')
  expect(given).toBe(3)
})
