import { and, eq } from 'drizzle-orm'
import type { ProjectId } from '../../../access/principal.js'
import type { Statements } from '../../../db/client.js'
import { confirmCompleted } from '../../../db/confirm.js'
import type { Orm } from '../../../db/orm.js'
import { receiptClientKeys } from '../../../db/tables/batches.js'
import { sqlOf, type Transact } from '../../../db/transact.js'
import type { ExportedPage } from '../../contract.js'
import { RECEIPT_LIMITS } from '../limits.js'
import { sameBytes } from '../receipt.js'

/** A key that a project registered. Without times it holds for receipts of any time. */
export type ClientKeyRow = {
  readonly keyId: string
  readonly publicKey: Uint8Array
  readonly label: string | null
  readonly notBefore: Date | null
  readonly notAfter: Date | null
  readonly createdAt: Date
}

export type Registered =
  | { readonly status: 'registered'; readonly key: ClientKeyRow }
  | { readonly status: 'taken'; readonly key: ClientKeyRow }
  | { readonly status: 'full' }

export type ClientKeyStore = ReturnType<typeof createClientKeyStore>

export function createClientKeyStore({ orm, transact }: { readonly orm: Orm; readonly transact: Transact }) {
  const { projectId: owner, keyId: named, createdAt } = receiptClientKeys
  const list = (projectId: ProjectId): Promise<ClientKeyRow[]> =>
    orm.select().from(receiptClientKeys).where(eq(owner, projectId)).orderBy(createdAt, named)

  return {
    /** Oldest first. */
    list,

    register: (projectId: ProjectId, key: ClientKeyRow): Promise<Registered> =>
      transact((tx) => register(sqlOf(tx), projectId, key)),

    remove: async (projectId: ProjectId, keyId: string): Promise<boolean> => {
      const gone = await orm.delete(receiptClientKeys).where(and(eq(owner, projectId), eq(named, keyId)))
      return confirmCompleted(gone, 'DELETE').count > 0
    },

    erase: async (projectId: ProjectId): Promise<number> =>
      confirmCompleted(await orm.delete(receiptClientKeys).where(eq(owner, projectId)), 'DELETE').count,

    exportAll: async (projectId: ProjectId): Promise<ExportedPage> => {
      const rows = (await list(projectId)).map((key) => JSON.stringify(renderClientKey(key)))
      return { rows, next: null }
    },
  }
}

/**
 * Registers a key. The same key under its id again changes nothing but its label and times. The lock orders those of
 * one project, so that together they keep to its limit.
 */
async function register(statement: Statements, projectId: ProjectId, key: ClientKeyRow): Promise<Registered> {
  await statement`select pg_advisory_xact_lock(hashtextextended(${`llmring client keys ${projectId}`}, 0))`
  const known = await statement<Pick<ClientKeyRow, 'keyId' | 'publicKey'>[]>`
    select key_id as "keyId", public_key as "publicKey" from receipt_client_keys where project_id = ${projectId}`
  const before = known.find(({ keyId }) => keyId === key.keyId)
  if (before !== undefined && !sameBytes(before.publicKey, key.publicKey)) return { status: 'taken', key }
  if (before === undefined && known.length >= RECEIPT_LIMITS.clientKeysMax) return { status: 'full' }
  const [row] = confirmCompleted(
    await statement<ClientKeyRow[]>`
      insert into receipt_client_keys as registered
        (project_id, key_id, public_key, label, not_before, not_after, created_at)
      values (${projectId}, ${key.keyId}, ${Buffer.from(key.publicKey)}, ${key.label},
        ${key.notBefore?.toISOString() ?? null}::text::timestamptz,
        ${key.notAfter?.toISOString() ?? null}::text::timestamptz, ${key.createdAt.toISOString()})
      on conflict (project_id, key_id) do update set label = excluded.label,
        not_before = excluded.not_before, not_after = excluded.not_after
      returning created_at as "createdAt"`,
    'INSERT',
    1,
  )
  return { status: 'registered', key: { ...key, createdAt: row?.createdAt ?? key.createdAt } }
}

/** As it goes over the wire. */
export function renderClientKey({ keyId, publicKey, label, notBefore, notAfter, createdAt }: ClientKeyRow) {
  return {
    ...{ key_id: keyId, public_key: Buffer.from(publicKey).toString('base64url'), algorithm: 'Ed25519', label },
    not_before: notBefore?.toISOString() ?? null,
    not_after: notAfter?.toISOString() ?? null,
    created_at: createdAt.toISOString(),
  }
}
