import { Point, signAsync, verifyAsync } from '@noble/ed25519'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkPublicKey,
  createPortableVerifier,
  formatSignature,
  parseSignature,
  type VerifierDeps,
  verifySignature,
} from '../../src/core/ed25519/index.js'
import { bytesOf, lenientLowOrderEncodings, littleEndian, ORDER, torsionPoints } from '../unit/proof-curve.js'
import { nodeVerifier, portableVerifier, sha512, signerOf } from '../unit/proof-fixtures.js'

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
const messages = fc.uint8Array({ maxLength: 200 })
const torsion = torsionPoints()
const lowOrder = lenientLowOrderEncodings()
const node = nodeVerifier()
const portable = portableVerifier()

describe('honest signatures', () => {
  it('node:crypto and noble make the same bytes for every seed and message, and all verifiers take them', async () => {
    const overWebCrypto = createPortableVerifier(async (bytes) => {
      return new Uint8Array(await crypto.subtle.digest('SHA-512', Uint8Array.from(bytes)))
    })
    await fc.assert(
      fc.asyncProperty(seeds, messages, async (seed, message) => {
        const signer = signerOf(seed)
        const signature = signer.sign(message)
        expect(await signAsync(message, seed)).toEqual(signature)
        const text = formatSignature(signature)
        expect(parseSignature(text)).toEqual({ ok: true, bytes: signature })
        const deps: VerifierDeps[] = [node, portable, { verifyEd25519: overWebCrypto }]
        for (const verifier of deps)
          expect(await verifySignature(verifier, signer.key, message, text)).toEqual({ ok: true })
      }),
      { numRuns: 60 },
    )
  })
})

interface Forgery {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  readonly message: Uint8Array
}

interface Recipe {
  /** Secret scalar and nonce; 0 leaves A or R with nothing but its torsion part. */
  readonly a: bigint
  readonly r: bigint
  /** Which point of low order is added to A and to R; 0 is made to be the identity. */
  readonly tA: number
  readonly tR: number
  /** How often L is added to S. */
  readonly wraps: bigint
  readonly message: Uint8Array
}

const byIdentityFirst = torsion.toSorted((x, y) => Number(y.is0()) - Number(x.is0()))

/** Signs as the recipe says: S = r + k·a satisfies the equation up to the points of low order. */
function forge({ a, r, tA, tR, wraps, message }: Recipe): Forgery {
  const point = (scalar: bigint, low: number) => {
    const added = byIdentityFirst[low]
    if (added === undefined) throw new Error('eight points')
    return Point.BASE.multiply(scalar, false).add(added).toBytes()
  }
  return signWith(point(a, tA), point(r, tR), { a, r, wraps, message })
}

function signWith(
  publicKey: Uint8Array,
  rBytes: Uint8Array,
  recipe: Pick<Recipe, 'a' | 'r' | 'wraps' | 'message'>,
): Forgery {
  const k = littleEndian(sha512(Uint8Array.from([...rBytes, ...publicKey, ...recipe.message]))) % ORDER
  const s = ((recipe.r + k * recipe.a) % ORDER) + recipe.wraps * ORDER
  return { publicKey, signature: Uint8Array.from([...rBytes, ...bytesOf(s)]), message: recipe.message }
}

/** The whole rule: the key's check, then the signature's. */
function verdict(deps: VerifierDeps<boolean>, { publicKey, signature, message }: Forgery): string {
  const key = checkPublicKey(publicKey)
  if (!key.ok) return `key ${key.reason}`
  const result = verifySignature(deps, key.key, message, formatSignature(signature))
  return result.ok ? 'good' : result.reason
}

/** What the rule says of a recipe, by algebra alone. */
function foretold({ a, r, tA, tR, wraps }: Recipe): string {
  const verdicts: [boolean, string][] = [
    [a === 0n, 'key low-order'],
    [tA !== 0, 'key mixed-order'],
    [wraps > 0n, 's-out-of-range'],
    [r === 0n, 'low-order-r'],
    [tR !== 0, 'signature-mismatch'],
  ]
  return verdicts.find(([applies]) => applies)?.[1] ?? 'good'
}

const scalars = fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: ORDER - 1n }))
const recipes: fc.Arbitrary<Recipe> = fc.record({
  a: scalars,
  r: scalars,
  tA: fc.oneof(fc.constant(0), fc.nat(7)),
  tR: fc.oneof(fc.constant(0), fc.nat(7)),
  wraps: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 14n })),
  message: messages,
})

describe('hostile signatures', () => {
  it('get the same verdict from both verifiers, and it is the one that the rule foretells', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const forgery = forge(recipe)
        const expected = foretold(recipe)
        expect([verdict(node, forgery), verdict(portable, forgery)]).toEqual([expected, expected])
      }),
      { numRuns: 150 },
    )
  })

  it('with a key or an R in any of the 14 low-order encodings are refused before a verifier is asked', () => {
    const recipe = { a: 5n, r: 7n, wraps: 0n, message: Uint8Array.of(1) }
    const honest = forge({ ...recipe, tA: 0, tR: 0 })
    for (const low of lowOrder) {
      expect(verdict(node, signWith(low, honest.signature.subarray(0, 32), { ...recipe, a: 0n }))).toBe('key low-order')
      expect(verdict(node, signWith(honest.publicKey, low, { ...recipe, r: 0n }))).toBe('low-order-r')
    }
  })

  it('on which libraries disagree exist among them: the rule has something to decide', async () => {
    const recipe = { a: 5n, r: 7n, wraps: 0n, message: Uint8Array.of(1), tA: 0 }
    for (const tR of [1, 2, 3, 4, 5, 6, 7]) {
      const { publicKey, signature, message } = forge({ ...recipe, tR })
      expect(await verifyAsync(signature, message, publicKey)).toBe(true)
      expect(node.verifyEd25519(publicKey, message, signature)).toBe(false)
      expect(verdict(portable, { publicKey, signature, message })).toBe('signature-mismatch')
    }
  })

  it('under a key of mixed order pass the bare equation now and then: only the check of the key stops them', () => {
    const passed = Array.from({ length: 64 }, (_, at) =>
      forge({ a: 5n, r: 7n, tA: 1, tR: 0, wraps: 0n, message: Uint8Array.of(at) }),
    ).filter(({ publicKey, message, signature }) => portable.verifyEd25519(publicKey, message, signature))
    expect(passed.length).toBeGreaterThan(0)
    expect(passed.length).toBeLessThan(64)
    expect(passed.map((forgery) => verdict(node, forgery))).toEqual(passed.map(() => 'key mixed-order'))
  })

  it('of noise get the same verdict from both verifiers', () => {
    const noise = fc.uint8Array({ minLength: 64, maxLength: 64 })
    fc.assert(
      fc.property(seeds, noise, fc.boolean(), messages, (seed, bytes, small, message) => {
        const signature = small ? Uint8Array.from([...bytes.subarray(0, 63), (bytes[63] ?? 0) & 0x0f]) : bytes
        const forgery = { publicKey: signerOf(seed).key.bytes, signature, message }
        const said = verdict(node, forgery)
        expect(said).not.toBe('good')
        expect(verdict(portable, forgery)).toBe(said)
      }),
      { numRuns: 60 },
    )
  })
})
