import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import { confirmCompleted } from '../../db/confirm.js'
import type { Orm } from '../../db/orm.js'
import { registryFiles } from '../../db/tables/registry.js'
import { ormOf, type Tx } from '../../db/transact.js'
import type { RegistryFile } from './registry-file.js'

/** A file as it was kept. `fetchedAt`: when the origin last served exactly these bytes, in milliseconds since the epoch. */
export type KeptFile = {
  readonly path: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly fetchedAt: number
}

export type FileToKeep = KeptFile & {
  readonly sha256: string
  readonly provider: string | null
  readonly version: number | null
}

/** A file with the version that it says, if it is a provider's. */
export function fileToKeep(file: RegistryFile & { readonly version?: number }, fetchedAt: number): FileToKeep {
  const { target, bytes, sha256, version = null } = file
  return { path: target.path, provider: target.provider, bytes, sha256, version, fetchedAt }
}

export type RegistryStore = {
  newest(paths: readonly string[]): Promise<KeptFile[]>
  keep(file: FileToKeep): Promise<void>
  keepTogether(tx: Tx, files: readonly FileToKeep[]): Promise<void>
  seenAsCurrent(provider: string, version: number): Promise<KeptFile | undefined>
}

const columns = { path: registryFiles.path, body: registryFiles.body, fetchedAt: registryFiles.lastFetchedAt }

/** Every content that the origin ever served: the price history, and the last good copies. Shared by all projects. */
export function createRegistryStore(orm: Orm): RegistryStore {
  return {
    /** For each path the content that was served last. */
    newest: async (paths) => {
      const rows = await orm
        .selectDistinctOn([registryFiles.path], columns)
        .from(registryFiles)
        .where(inArray(registryFiles.path, [...paths]))
        .orderBy(registryFiles.path, desc(registryFiles.lastFetchedAt))
      return rows.map(toKept)
    },

    keep: (file) => keepFile(orm, file),

    /** All of these, or none if the transaction fails. */
    keepTogether: async (tx, files) => {
      for (const file of files) await keepFile(ormOf(tx), file)
    },

    /** A version that was the provider's current one once, as it was served last. */
    seenAsCurrent: async (provider, version) => {
      const [row] = await orm
        .select(columns)
        .from(registryFiles)
        .where(and(eq(registryFiles.path, `${provider}/models.json`), eq(registryFiles.providerVersion, version)))
        .orderBy(desc(registryFiles.lastFetchedAt))
        .limit(1)
      return row === undefined ? undefined : toKept(row)
    },
  }
}

/** Keeps a content once: the same bytes again only move the time, so that a refresh does not rewrite the body. */
async function keepFile(orm: Orm, file: FileToKeep): Promise<void> {
  const fetchedAt = new Date(file.fetchedAt)
  const lastFetchedAt = sql`greatest(${registryFiles.lastFetchedAt}, ${fetchedAt.toISOString()}::timestamptz)`
  const same = and(eq(registryFiles.path, file.path), eq(registryFiles.sha256, file.sha256))
  const touched = await orm
    .update(registryFiles)
    .set({ lastFetchedAt })
    .where(same)
    .returning({ path: registryFiles.path })
  if (touched.length > 0) return
  const { path, sha256, provider, version: providerVersion, bytes: body } = file
  const inserted = await orm
    .insert(registryFiles)
    .values({ path, sha256, provider, providerVersion, body, firstFetchedAt: fetchedAt, lastFetchedAt: fetchedAt })
    .onConflictDoUpdate({ target: [registryFiles.path, registryFiles.sha256], set: { lastFetchedAt } })
  confirmCompleted(inserted, 'INSERT', 1)
}

function toKept(row: { path: string; body: Uint8Array; fetchedAt: Date }): KeptFile {
  return { path: row.path, bytes: new Uint8Array(row.body), fetchedAt: row.fetchedAt.getTime() }
}
