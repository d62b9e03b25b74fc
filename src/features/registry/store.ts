import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import { confirmCompleted } from '../../db/confirm.js'
import type { Orm } from '../../db/orm.js'
import { registryFiles } from '../../db/tables/registry.js'
import { ormOf, type Tx } from '../../db/transact.js'
import { deadline } from '../../platform/deadline.js'
import { describeError, type Logger } from '../../platform/logger.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { RegistryFile } from './registry-file.js'

/**
 * A file as it was kept. `fetchedAt`: when the origin last served exactly these bytes, in milliseconds since the epoch.
 */
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

/**
 * Every content that the origin ever served: the price history, and the last good copies. Shared by all projects. Nothing
 * is ever swept: what a recorded cost or a signed receipt names as `openai@7` has to be found as long as these are kept,
 * which has no end; and a registry that changes daily adds less than 100 MB a year.
 */
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

/**
 * The files that Postgres keeps, as far as it can be reached. The registry can do without it while the origin answers.
 */
export type KeptFiles = {
  /** For each path the content that was served last. Never rejects. */
  newest(paths: readonly string[]): Promise<readonly KeptFile[]>
  /** Never rejects. */
  seenAsCurrent(provider: string, version: number): Promise<KeptFile | undefined>
  /** Begins to keep a file, in the background. */
  keep(file: FileToKeep): void
  /** Waits for what was begun, bounded. Never rejects. */
  close(): Promise<void>
}

/**
 * Reads are bounded in time, because a lost Postgres does not refuse, it keeps its callers waiting. Writes go in the
 * order in which files came, one at a time; beyond `writesWaitingMax` a file is left out, and the next refresh brings
 * it again.
 *
 * A crash before a write is done loses a copy that the next refresh, here or in another instance, keeps.
 */
export function openKeptFiles(store: RegistryStore, logger: Logger): KeptFiles {
  let last = Promise.resolve()
  let waiting = 0
  let readable = true
  const readOr = async <T>(read: Promise<T>, otherwise: T): Promise<T> => {
    try {
      const result = await deadline(read, REGISTRY_LIMITS.keptReadMsMax)
      readable = true
      return result
    } catch (error) {
      if (readable) logger.warn({ error: describeError(error) }, 'kept registry files could not be read')
      readable = false
      return otherwise
    }
  }
  const write = async (file: FileToKeep): Promise<void> => {
    try {
      await store.keep(file)
    } catch (error) {
      logger.warn({ path: file.path, error: describeError(error) }, 'registry file could not be kept')
    } finally {
      waiting -= 1
    }
  }
  return {
    newest: (paths) => readOr<readonly KeptFile[]>(store.newest(paths), []),
    seenAsCurrent: (provider, version) => readOr(store.seenAsCurrent(provider, version), undefined),
    keep: (file) => {
      if (waiting >= REGISTRY_LIMITS.writesWaitingMax) {
        logger.warn({ path: file.path, waiting }, 'registry file could not be kept: too many are waiting')
        return
      }
      waiting += 1
      last = last.then(() => write(file))
    },
    close: () => deadline(last, REGISTRY_LIMITS.writesOnCloseMsMax).catch(() => undefined),
  }
}
