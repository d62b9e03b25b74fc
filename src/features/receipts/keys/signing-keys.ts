import { createHash } from 'node:crypto'
import { checkPublicKey, decodeBase64url, encodeBase64url, type PublicKey } from '../../../core/ed25519/index.js'
import { ConfigurationError } from '../../../platform/configuration-error.js'
import { createNodeSigner } from '../../../platform/node-ed25519.js'

/** The configured keys as unpadded base64url of 32 bytes. */
export type KeySettings = {
  readonly privateKey: string | undefined
  readonly publicKey: string | undefined
  readonly keyId: string | undefined
  /** The private key that signed before, or `lost`. */
  readonly previousKey?: string | undefined
}

/** In place of the previous key. */
export const LOST_KEY = 'lost'

/** The key that signed before: what a new one is stated by. */
export type PreviousKey = typeof LOST_KEY | { readonly publicKey: PublicKey; readonly sign: Signer }
type Signer = (message: Uint8Array) => Uint8Array

/** The key of this installation. Without `sign` it verifies and cannot issue. */
export type SigningKey = {
  readonly keyId: string
  readonly publicKey: PublicKey
  readonly sign: ((message: Uint8Array) => Uint8Array) | null
}

/** Keys that cannot be used as they are configured: the program does not start, and exits with 78 (EX_CONFIG). */
export class KeyConfigurationError extends ConfigurationError {
  override readonly name = 'KeyConfigurationError'
}

const PRIVATE = 'LLMRING_RECEIPTS_PRIVATE_KEY_B64'
const PREVIOUS = 'LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64'
const PUBLIC = 'LLMRING_RECEIPTS_PUBLIC_KEY_B64'

/**
 * The key that the settings describe, null where there is none. A private key gives its public key, a public key alone
 * only verifies. Throws `KeyConfigurationError` for a pair that does not match and for a public key that the
 * verification rule refuses. No key is ever part of a message.
 */
export function loadSigningKey(settings: KeySettings): SigningKey | null {
  const { privateKey, publicKey, keyId } = settings
  if (privateKey === undefined && publicKey === undefined) return null
  const signer = privateKey === undefined ? null : createNodeSigner(bytesOf(privateKey, PRIVATE))
  const named = publicKey === undefined ? null : bytesOf(publicKey, PUBLIC)
  if (signer !== null && named !== null && !Buffer.from(named).equals(signer.publicKey)) {
    throw new KeyConfigurationError(`${PUBLIC}: is not the public key of ${PRIVATE}`)
  }
  const checked = checkPublicKey(signer?.publicKey ?? named ?? new Uint8Array())
  if (!checked.ok) throw new KeyConfigurationError(`${PUBLIC}: is not a safe Ed25519 public key (${checked.reason})`)
  return { keyId: keyId ?? keyThumbprint(checked.key), publicKey: checked.key, sign: signer?.sign ?? null }
}

/** Undefined where the settings name none. Throws as `loadSigningKey` does. */
export function loadPreviousKey({ previousKey }: KeySettings): PreviousKey | undefined {
  if (previousKey === undefined || previousKey === LOST_KEY) return previousKey
  const { publicKey, sign } = createNodeSigner(bytesOf(previousKey, PREVIOUS))
  const checked = checkPublicKey(publicKey)
  if (!checked.ok) throw new ConfigurationError(`${PREVIOUS}: is not a safe Ed25519 key (${checked.reason})`)
  return { publicKey: checked.key, sign }
}

/** The RFC 7638 thumbprint of a key's JWK (RFC 8037): base64url of the SHA-256 of its required members in order. */
export function keyThumbprint(key: PublicKey): string {
  const jwk = `{"crv":"Ed25519","kty":"OKP","x":"${encodeBase64url(key.bytes)}"}`
  return createHash('sha256').update(jwk).digest('base64url')
}

function bytesOf(text: string, setting: string): Uint8Array {
  const bytes = decodeBase64url(text)
  if (bytes?.length !== 32) throw new KeyConfigurationError(`${setting}: must be 32 bytes in base64url`)
  return bytes
}
