import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import {
  checkPublicKey,
  createPortableVerifier,
  decodeBase64url,
  formatSignature,
  type PublicKey,
  type VerifierDeps,
} from '../../src/core/ed25519/index.js'
import { canonicalJson, type JsonObject } from '../../src/core/json/index.js'

/** PKCS#8 of an Ed25519 seed, up to the seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
/** SPKI of an Ed25519 public key, up to the key. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

export function sha512(message: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha512').update(message).digest())
}

export interface Signer {
  readonly key: PublicKey
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** A signer of node:crypto from a 32-byte seed. */
export function signerOf(seed: Uint8Array): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
  const publicBytes = decodeBase64url(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '')
  if (publicBytes === null) throw new Error('no public key')
  return { key: checkedKey(publicBytes), sign: (message) => new Uint8Array(sign(null, message, privateKey)) }
}

/** A signer whose seed is one byte, repeated. */
export function signerOfByte(byte: number): Signer {
  return signerOf(new Uint8Array(32).fill(byte))
}

export function checkedKey(bytes: Uint8Array): PublicKey {
  const result = checkPublicKey(bytes)
  if (!result.ok) throw new Error(`key refused: ${result.reason}`)
  return result.key
}

/** What the server uses: node:crypto with a KeyObject that is made once for each key. */
export function nodeVerifier(): VerifierDeps<boolean> {
  const keys = new WeakMap<Uint8Array, KeyObject>()
  return {
    verifyEd25519: (publicKey, message, signature) => {
      const known = keys.get(publicKey)
      const key = known ?? createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' })
      if (known === undefined) keys.set(publicKey, key)
      return verify(null, message, key, signature)
    },
  }
}

export function portableVerifier(): VerifierDeps<boolean> {
  return { verifyEd25519: createPortableVerifier(sha512) }
}

export function hexBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** An unsigned receipt of the nested shape as the programs in the field made them, floats and all. */
export const nestedReceipt = {
  id: 'rcpt_20250820_0001',
  timestamp: '2025-08-20T12:34:56.789Z',
  registry_version: 'openai@7',
  model: 'gpt-4o-mini',
  alias: 'summarizer',
  profile: 'default',
  lock_digest: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  key_id: 'key-1',
  tokens: { input: 1_200, output: 300, cached_input: 0 },
  cost: { amount: 0.00036, calculation: '1200 × 0.15 + 300 × 0.60 per million' },
}

/** An unsigned receipt of the flat shape. */
export const flatReceipt = {
  receipt_id: '2f1c9f0e-7a51-4a7e-9d57-6f0f9a1b2c3d',
  timestamp: '2025-08-20T12:34:56.789012+00:00',
  alias: 'summarizer',
  profile: 'default',
  lock_digest: 'abc',
  provider: 'openai',
  model: 'gpt-4o-mini',
  prompt_tokens: 1_200,
  completion_tokens: 300,
  total_tokens: 1_500,
  input_cost: 0.00018,
  output_cost: 0.00018,
  total_cost: 0.00036,
}

/** What a client says of a call, in the words of the first clients. */
export const CLAIMS = {
  timestamp: '2026-03-01T11:59:58Z',
  registry_version: 'openai@3',
  model: 'gpt-4o-mini',
  alias: 'summarizer',
  profile: 'default',
  lock_digest: 'sha256:9f86d081',
  tokens: { input: 1_200, output: 300 },
  cost: { amount: 0.00036, calculation: '1200 × 0.15 + 300 × 0.60 per million' },
}

/** Signs a document with the key of `byte`, as a program of its own would. */
export function signedBy(byte: number, unsigned: JsonObject): JsonObject & { readonly signature: string } {
  const canonical = canonicalJson(unsigned)
  if (!canonical.ok) throw new Error(canonical.reason)
  const { sign } = signerOf(new Uint8Array(32).fill(byte))
  return { ...unsigned, signature: formatSignature(sign(canonical.bytes)) }
}
