import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { ProjectId } from '../../access/principal.js'
import type { SealedSecret } from './webhook.js'

/** Encrypts the secrets of webhooks with keys that the database does not hold. */
export type Vault = {
  /** Undefined if the service has no secret of its own to derive a key from. */
  seal(projectId: ProjectId, secret: Uint8Array): SealedSecret | undefined
  /** Undefined if no key that is configured opens it. */
  open(projectId: ProjectId, sealed: SealedSecret): Uint8Array | undefined
}

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * AES-256-GCM under keys that HKDF-SHA-256 (RFC 5869) derives from the service's own secrets. The first one seals, all
 * of them open, so that a secret can be replaced. A sealed text is bound to its project: it opens in no other's row.
 */
export function createVault(serviceSecrets: readonly string[]): Vault {
  const keys = serviceSecrets.map(deriveKey)
  return {
    seal: (projectId, secret) => {
      const [first] = keys
      if (first === undefined) return undefined
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, first.key, nonce).setAAD(Buffer.from(projectId))
      const text = Buffer.concat([cipher.update(secret), cipher.final()])
      return { bytes: Buffer.concat([nonce, cipher.getAuthTag(), text]), keyId: first.id }
    },
    open: (projectId, { bytes, keyId }) => {
      const known = keys.find(({ id }) => id === keyId)
      return known === undefined ? undefined : decrypt(known.key, projectId, bytes)
    },
  }
}

function decrypt(key: Uint8Array, projectId: ProjectId, bytes: Uint8Array): Uint8Array | undefined {
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(projectId)).setAuthTag(tag)
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

/** The id is derived beside the key, and tells nothing of it. */
function deriveKey(secret: string): { readonly id: string; readonly key: Uint8Array } {
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `llmring webhook secrets: ${purpose}`, bytes))
  return { id: derive('id', 4).toString('hex'), key: derive('key', 32) }
}
