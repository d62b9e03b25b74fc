import { encodeBase64url } from '../../../core/ed25519/index.js'
import { publicKeyPem } from '../../../platform/node-ed25519.js'
import type { KeyRing, ListedKey } from './key-ring.js'

/** The public keys in the forms that readers of receipts ask for. Undefined where there is none. */
export type KeyDocuments = {
  readonly pem: () => string | undefined
  readonly jwk: () => string | undefined
  /** Looks for other instances' keys first; while the database is away, the ones that are known are listed. */
  readonly list: () => Promise<string | undefined>
  /** Of every change of key, the statement that is in the log: one canonical JSON text a line. */
  readonly statements: () => Promise<string>
}

export function createKeyDocuments(ring: KeyRing, listStatements: () => Promise<readonly string[]>): KeyDocuments {
  const { own } = ring
  const pem = own === null ? undefined : publicKeyPem(own.publicKey.bytes)
  const jwk =
    own === null
      ? undefined
      : JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(own.publicKey.bytes), kid: own.keyId })
  return {
    pem: () => pem,
    jwk: () => jwk,
    statements: async () => (await listStatements()).map((line) => `${line}\n`).join(''),
    list: async () => {
      await ring.refresh().catch(() => undefined)
      const keys = ring.listed()
      if (keys.length === 0) return undefined
      return JSON.stringify({ keys: keys.map(renderKey), current_key_id: own?.keyId ?? null })
    },
  }
}

function renderKey({ keyId, publicKey, notBefore, notAfter }: ListedKey) {
  const x = encodeBase64url(publicKey.bytes)
  return {
    ...{ key_id: keyId, public_key: x, algorithm: 'Ed25519', format: 'base64url' },
    ...{ kid: keyId, kty: 'OKP', crv: 'Ed25519', x },
    status: notAfter === null ? 'active' : 'retired',
    not_before: notBefore?.toISOString() ?? null,
    not_after: notAfter?.toISOString() ?? null,
  }
}
