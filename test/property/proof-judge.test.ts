import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHistory, judgeDocument, readPins } from '../../src/core/proof/index.js'
import { formatLogProof } from '../../src/core/tlog/index.js'
import { AuditLog, bytes, chainOf, jsonBytes, keysText, packageBytes, policyText } from '../support/audit-world.js'
import { nodeVerifier } from '../unit/proof-fixtures.js'
import { sha256 } from '../unit/tlog-trees.js'

const deps = { ...nodeVerifier(), sha256 }
const chain = chainOf(3)
const log = new AuditLog(chain)
const [receipt = {}] = chain
const document = jsonBytes(receipt)
const proof = formatLogProof(await log.proof(receipt))
const whole = packageBytes(await log.packageLines(chain))
const pins = await readPins(deps, { keys: bytes(keysText()), policy: bytes(policyText()), checkpoints: [] })

async function* oneChunk(file: Uint8Array) {
  yield file
}

async function verdictOf(file: Uint8Array, given: Uint8Array | null) {
  if (!pins.ok) throw new Error(pins.detail)
  const terms = {
    ...pins,
    project: null,
    anyTime: false,
    strict: false,
    trustEmbedded: false,
    history: createHistory(),
  }
  return (await judgeDocument(deps, terms, { document: oneChunk(file), proof: given, member: null })).verdict
}

/** The same file with other bits in one byte. */
const changed = (file: Uint8Array) =>
  fc
    .record({ at: fc.nat({ max: file.length - 1 }), bits: fc.integer({ min: 1, max: 255 }) })
    .map(({ at, bits }) => file.map((byte, index) => (index === at ? byte ^ bits : byte)))

const sameJson = (one: Uint8Array, other: Uint8Array): boolean => {
  try {
    const [a, b] = [one, other].map((file) => new TextDecoder('utf-8', { fatal: true }).decode(file))
    return JSON.stringify(JSON.parse(a ?? '')) === JSON.stringify(JSON.parse(b ?? ''))
  } catch {
    return false
  }
}

describe('the judgement', () => {
  it('finds the files good as they are', async () => {
    expect([await verdictOf(document, proof), await verdictOf(whole, null)]).toEqual(['good', 'good'])
  })

  it('finds no receipt good in which one byte is another, unless it says the same', async () => {
    await fc.assert(
      fc.asyncProperty(changed(document), async (file) => {
        if ((await verdictOf(file, proof)) === 'good') expect(sameJson(file, document)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('finds no proof good in which one byte is another', async () => {
    await fc.assert(
      fc.asyncProperty(changed(proof), async (file) => {
        expect(await verdictOf(document, file)).not.toBe('good')
      }),
      { numRuns: 300 },
    )
  })

  it('says something of whatever bytes it is given, and never that they are good', async () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map(bytes),
      fc.nat({ max: whole.length - 1 }).map((length) => whole.subarray(0, length)),
    )
    await fc.assert(
      fc.asyncProperty(anything, fc.option(fc.uint8Array({ maxLength: 300 })), async (file, given) => {
        const verdict = await verdictOf(file, given)
        const lines = new TextDecoder().decode(file).split('\n').length
        // A package that ends behind one of its lines is a shorter package.
        if (verdict === 'good') expect(lines).toBeGreaterThan(1)
      }),
      { numRuns: 300 },
    )
  })
})
