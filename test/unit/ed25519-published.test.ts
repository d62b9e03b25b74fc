import { describe, expect, test } from 'vitest'
import { checkPublicKey, formatSignature, type VerifierDeps, verifySignature } from '../../src/core/ed25519/index.js'
import { DISPUTED, WYCHEPROOF } from './ed25519-vectors.js'
import { hexBytes, nodeVerifier, portableVerifier } from './proof-fixtures.js'

const VERIFIERS: readonly (readonly [string, VerifierDeps<boolean>])[] = [
  ['node:crypto', nodeVerifier()],
  ['the portable verifier', portableVerifier()],
]

/** What the rule says: `good`, or why it refuses. */
function judge(deps: VerifierDeps<boolean>, publicKey: string, message: string, signature: string): string {
  const checked = checkPublicKey(hexBytes(publicKey))
  if (!checked.ok) return checked.reason
  const verdict = verifySignature(deps, checked.key, hexBytes(message), formatSignature(hexBytes(signature)))
  return verdict.ok ? 'good' : verdict.reason
}

describe.each(VERIFIERS)('by the rule, with %s', (_, deps) => {
  test('every published vector is good or refused as it was published, and what some may take is refused', () => {
    const vectors = WYCHEPROOF.flatMap(([publicKey, list]) => list.map((vector) => [publicKey, ...vector] as const))
    expect(vectors.length).toBe(210)
    const found = vectors.map(
      ([publicKey, message, signature]) => judge(deps, publicKey, message, signature) === 'good',
    )
    expect(found).toEqual(vectors.map(([, , , result]) => result === 'valid'))
  })

  test('each signature on which libraries disagree is refused, for the reason that makes them disagree', () => {
    const found = DISPUTED.map(([, publicKey, message, signature]) => judge(deps, publicKey, message, signature))
    expect(found).toEqual(DISPUTED.map(([reason]) => reason))
  })
})

test('libraries do disagree on them: without the rule, the bare equation takes some', () => {
  const [, deps] = VERIFIERS[0] ?? []
  const taken = DISPUTED.filter(([, publicKey, message, signature]) => {
    return deps?.verifyEd25519(hexBytes(publicKey), hexBytes(message), hexBytes(signature))
  })
  expect(taken.length).toBeGreaterThan(0)
  expect(taken.length).toBeLessThan(DISPUTED.length)
})
