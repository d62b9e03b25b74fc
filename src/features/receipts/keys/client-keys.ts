import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../../access/principal.js'
import { checkPublicKey, decodeBase64url, type PublicKey } from '../../../core/ed25519/index.js'
import { isJsonObject } from '../../../core/json/index.js'
import type { KnownKeys } from '../../../core/proof/index.js'
import type { ReadHeader } from '../../../http/presented-key.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import { RECEIPT_LIMITS } from '../limits.js'
import { invalid } from '../refusal.js'
import { type ClientKeyRow, type ClientKeyStore, renderClientKey } from './client-key-store.js'
import type { KeyRing } from './key-ring.js'
import { keyThumbprint } from './signing-keys.js'

export type ClientKeyInput = {
  readonly publicKey: string
  readonly keyId: string | undefined
  readonly label: string | null
  readonly notBefore: Date | null
  readonly notAfter: Date | null
}

/** The keys of a project that receipts may verify under, and why one that does must not count all the same. */
export type ProjectKeys = {
  readonly known: KnownKeys
  /** Null if the key held at the time that the receipt gives itself. */
  readonly refusal: (keyId: string, receipt: unknown) => string | null
}

export type ClientKeys = ReturnType<typeof createClientKeys>

export type ClientKeysDeps = {
  readonly store: ClientKeyStore
  readonly clock: Clock
  readonly ring: Pick<KeyRing, 'known'>
  readonly findProject: (header: ReadHeader) => Promise<ProjectId | null>
}

/** The keys that a project registers for receipts that others sign. No project sees another one's. */
export function createClientKeys(deps: ClientKeysDeps) {
  const { store, clock } = deps
  const checked = createCheckedKeys()
  const find = async (projectId: ProjectId): Promise<ProjectKeys> => {
    const rows = new Map((await store.list(projectId)).map((row) => [row.keyId, row]))
    const keys = [...rows].flatMap(([keyId, row]) => {
      const key = checked(row.publicKey)
      return key === null ? [] : [[keyId, key] as const]
    })
    return { known: new Map(keys), refusal: (keyId, receipt) => timeRefusal(rows.get(keyId), receipt) }
  }
  return {
    list: async (projectId: ProjectId) => ({ keys: (await store.list(projectId)).map(renderClientKey) }),

    /** Throws `validation-failed`, `conflict` if the id stands for another key, and `project-full`. */
    register: async (projectId: ProjectId, input: ClientKeyInput) => {
      const key = readKey(input.publicKey)
      const keyId = input.keyId ?? keyThumbprint(key)
      if (deps.ring.known().has(keyId))
        throw new AppError('conflict', `The key '${keyId}' is one of the service's own.`)
      const { label, notBefore, notAfter } = input
      if (notBefore !== null && notAfter !== null && notAfter < notBefore) {
        throw invalid('/not_after', 'is before not_before')
      }
      const row = { keyId, publicKey: key.bytes, label, notBefore, notAfter, createdAt: new Date(clock()) }
      const registered = await store.register(projectId, row)
      if (registered.status === 'registered') return renderClientKey(registered.key)
      if (registered.status === 'taken') throw new AppError('conflict', `Another key has the id '${keyId}' already.`)
      throw new AppError('project-full', `A project may register ${RECEIPT_LIMITS.clientKeysMax} keys.`)
    },

    remove: async (projectId: ProjectId, keyId: string) => ({ deleted: await store.remove(projectId, keyId) }),

    find,
    /** Those of the project whose key a request presents; null if it presents none. */
    findFor: async (header: ReadHeader): Promise<ProjectKeys | null> => {
      const projectId = await deps.findProject(header)
      return projectId === null ? null : find(projectId)
    },
    erase: store.erase,
    exportAll: store.exportAll,
  }
}

/** Throws `validation-failed` unless the text is a key that the verification rule takes. */
function readKey(text: string): PublicKey {
  const result = checkPublicKey(decodeBase64url(text) ?? new Uint8Array())
  if (result.ok) return result.key
  throw invalid('/public_key', `is not a safe Ed25519 public key of 32 bytes in base64url (${result.reason})`)
}

/** The check takes a millisecond, and what a verifier keeps hangs on the key's identity. */
function createCheckedKeys() {
  const known = new LRUCache<string, PublicKey>({ max: RECEIPT_LIMITS.clientKeysCachedMax })
  return (bytes: Uint8Array): PublicKey | null => {
    const name = Buffer.from(bytes).toString('base64url')
    const before = known.get(name)
    if (before !== undefined) return before
    const result = checkPublicKey(bytes)
    if (!result.ok) return null
    known.set(name, result.key)
    return result.key
  }
}

function timeRefusal(row: ClientKeyRow | undefined, receipt: unknown): string | null {
  if (row === undefined || (row.notBefore === null && row.notAfter === null)) return null
  const at = timeOf(receipt)
  if (Number.isNaN(at)) return 'The key holds for a time only, and the receipt gives itself none.'
  const isBefore = row.notBefore !== null && at < row.notBefore.getTime()
  const isAfter = row.notAfter !== null && at > row.notAfter.getTime()
  return isBefore || isAfter ? 'The key did not hold at the time that the receipt gives itself.' : null
}

/** When it says that it was signed; NaN where it does not say. A time without a zone is UTC, as everywhere here. */
function timeOf(receipt: unknown): number {
  if (!isJsonObject(receipt)) return Number.NaN
  const text = receipt['issued_at'] ?? receipt['timestamp']
  if (typeof text !== 'string' || !INSTANT.test(text)) return Number.NaN
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,24})?(Z|[+-]\d\d:\d\d)?$/
