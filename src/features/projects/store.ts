import { and, asc, count, eq, gt, isNotNull, isNull, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { ProjectId, Role } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import { bounded } from '../../db/bounded.js'
import type { Sql, Statements } from '../../db/client.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import type { Announce } from '../../db/messages.js'
import type { Orm } from '../../db/orm.js'
import { FORGOTTEN, projectKeys, projects } from '../../db/tables/projects.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import { PROJECT_LIMITS } from './limits.js'

export type FoundKey = {
  readonly keyId: string
  readonly projectId: ProjectId
  readonly role: Role
  readonly revoked: boolean
}
export type Project = {
  readonly id: ProjectId
  readonly name: string | null
  readonly origin: 'open' | 'made'
  readonly createdAt: Date
}
export type ProjectKey = {
  readonly id: string
  readonly projectId: ProjectId
  readonly prefix: string
  readonly name: string | null
  readonly role: Role
  readonly createdAt: Date
  readonly revokedAt: Date | null
}
/** Where a key stands in the list of all of them. */
export type KeyPosition = Pick<ProjectKey, 'projectId' | 'id'>
export type NewKey = {
  readonly hash: string
  readonly pepperId: string
  readonly prefix: string
  readonly name: string | null
  readonly role: Role
}

/** Keys in use, and hashes of keys that belonged to no project. */
export type WatchedKeys = { readonly ids: readonly string[]; readonly newHashes: readonly string[] }
export type ChangedKeys = { readonly ids: ReadonlySet<string>; readonly newHashes: ReadonlySet<string> }

export type ProjectStore = ReturnType<typeof createProjectStore>

const PROJECT = { id: projects.id, name: projects.name, origin: projects.origin, createdAt: projects.createdAt }
const KEY = {
  id: projectKeys.id,
  projectId: projectKeys.projectId,
  prefix: projectKeys.prefix,
  name: projectKeys.name,
  role: projectKeys.role,
  createdAt: projectKeys.createdAt,
  revokedAt: projectKeys.revokedAt,
}

type Db = { readonly sql: Sql; readonly orm: Orm; readonly announce: Announce }

export function createProjectStore({ sql: hot, orm, announce }: Db) {
  return {
    findKey: (hashes: readonly string[]) => findKey(hot, hashes),
    findChangedKeys: (keys: WatchedKeys) => findChangedKeys(hot, keys),
    insertKey: (tx: Tx, projectId: ProjectId, key: NewKey) => insertKey(announce, tx, projectId, key),
    insertProject,
    lockProject,
    findProject: (id: ProjectId) => findProject(orm, id),
    listProjects: (after: string, limit: number) => listProjects(orm, after, limit),
    listKeys: (projectId: ProjectId) => listKeys(orm, projectId),
    listAllKeys: (after: KeyPosition | undefined, limit: number) => listAllKeys(orm, after, limit),
    countKeys,
    revokeKey: (tx: Tx, projectId: ProjectId | undefined, keyId: string) => revokeKey(announce, tx, projectId, keyId),
    buryProject: (tx: Tx, id: ProjectId) => buryProject(announce, tx, id),
    listBuried: (lastAfterSeconds: number) => listBuried(hot, orm, lastAfterSeconds),
    markSwept: (id: ProjectId) => markSwept(hot, orm, id),
  }
}

/** The key stored under one of these hashes: authentication's one statement. */
async function findKey(hot: Sql, hashes: readonly string[]): Promise<FoundKey | undefined> {
  const query = hot<FoundKey[]>`
    select id as "keyId", project_id as "projectId", role, revoked_at is not null as revoked from project_keys
    where key_hash in (select decode(hash, 'hex') from unnest(${arrayText(hashes)}::text::text[]) as hash) limit 1`
  const [row] = await bounded(query, PROJECT_LIMITS.findKeyMsMax)
  return row
}

/** Those that were revoked, and the hashes under which there is a key. */
async function findChangedKeys(hot: Sql, { ids, newHashes }: WatchedKeys): Promise<ChangedKeys> {
  const query = hot<{ id: string; hash: string }[]>`
    select id, encode(key_hash, 'hex') as hash from project_keys
    where (id = any(${arrayText(ids)}::text::uuid[]) and revoked_at is not null)
      or key_hash in (select decode(hash, 'hex') from unnest(${arrayText(newHashes)}::text::text[]) as hash)`
  const rows = await bounded(query, PROJECT_LIMITS.findKeyMsMax)
  return { ids: new Set(rows.map(({ id }) => id)), newHashes: new Set(rows.map(({ hash }) => hash)) }
}

/**
 * Inserts the key unless its hash exists; undefined if it does. An inserted one is this transaction's to give a
 * project.
 */
async function insertKey(
  announce: Announce,
  tx: Tx,
  projectId: ProjectId,
  key: NewKey,
): Promise<ProjectKey | undefined> {
  const values = {
    id: uuidv7(),
    projectId,
    keyHash: Buffer.from(key.hash, 'hex'),
    pepperId: key.pepperId,
    prefix: key.prefix,
    name: key.name,
    role: key.role,
  }
  const [row] = await ormOf(tx).insert(projectKeys).values(values).onConflictDoNothing().returning(KEY)
  if (row !== undefined) await announce(tx, { kind: 'key-changed', hash: key.hash })
  return row as ProjectKey | undefined
}

async function insertProject(tx: Tx, id: ProjectId, name: string | null, origin: 'open' | 'made'): Promise<Project> {
  return confirmRow(await ormOf(tx).insert(projects).values({ id, name, origin }).returning(PROJECT)) as Project
}

/**
 * The project, locked until the transaction ends: it is not erased, and its keys are counted and made one at a time.
 */
async function lockProject(tx: Tx, id: ProjectId): Promise<Project | undefined> {
  const [row] = await ormOf(tx)
    .select(PROJECT)
    .from(projects)
    .where(and(eq(projects.id, id), isNull(projects.erasedAt)))
    .for('update')
  return row as Project | undefined
}

async function findProject(orm: Orm, id: ProjectId): Promise<Project | undefined> {
  const [row] = await orm
    .select(PROJECT)
    .from(projects)
    .where(and(eq(projects.id, id), isNull(projects.erasedAt)))
  return row as Project | undefined
}

/** Oldest first: the ids are UUIDv7. */
async function listProjects(orm: Orm, after: string, limit: number): Promise<Project[]> {
  const rows = await orm
    .select(PROJECT)
    .from(projects)
    .where(and(isNull(projects.erasedAt), gt(projects.id, after)))
    .orderBy(asc(projects.id))
    .limit(limit)
  return rows as Project[]
}

/** A project's keys, oldest first. `createKey` bounds their number. */
async function listKeys(orm: Orm, projectId: ProjectId): Promise<ProjectKey[]> {
  const rows = await orm
    .select(KEY)
    .from(projectKeys)
    .where(eq(projectKeys.projectId, projectId))
    .orderBy(asc(projectKeys.id))
    .limit(PROJECT_LIMITS.keysPerProjectMax)
  return rows as ProjectKey[]
}

/** A page of the keys of all projects, by project, oldest first; `after` is the last key of the page before. */
async function listAllKeys(orm: Orm, after: KeyPosition | undefined, limit: number): Promise<ProjectKey[]> {
  const { projectId, id } = projectKeys
  const rows = await orm
    .select(KEY)
    .from(projectKeys)
    .where(after && sql`(${projectId}, ${id}) > (${after.projectId}::uuid, ${after.id}::uuid)`)
    .orderBy(asc(projectId), asc(id))
    .limit(limit)
  return rows as ProjectKey[]
}

async function countKeys(tx: Tx, projectId: ProjectId): Promise<number> {
  const [row] = await ormOf(tx).select({ keys: count() }).from(projectKeys).where(eq(projectKeys.projectId, projectId))
  return row?.keys ?? 0
}

/** Revokes a key that is not revoked yet; its hash is announced to every instance. */
async function revokeKey(
  announce: Announce,
  tx: Tx,
  projectId: ProjectId | undefined,
  keyId: string,
): Promise<boolean> {
  const mine = projectId === undefined ? undefined : eq(projectKeys.projectId, projectId)
  const wanted = and(mine, eq(projectKeys.id, keyId), isNull(projectKeys.revokedAt))
  // Locked first: from here on an update that counts no row is one that did not happen, not a key that is not there.
  const [row] = await ormOf(tx).select({ hash: projectKeys.keyHash }).from(projectKeys).where(wanted).for('update')
  if (row === undefined) return false
  const revokedAt = await readClock(sqlOf(tx))
  confirmCompleted(await ormOf(tx).update(projectKeys).set({ revokedAt }).where(wanted), 'UPDATE', 1)
  await announce(tx, { kind: 'key-changed', hash: Buffer.from(row.hash).toString('hex') })
  return true
}

/** Makes a project a nameless tombstone and revokes its keys: from its commit on nothing new can be authenticated. */
async function buryProject(announce: Announce, tx: Tx, id: ProjectId): Promise<boolean> {
  const wanted = and(eq(projects.id, id), isNull(projects.erasedAt))
  // Locked first, as in `revokeKey`.
  const [there] = await ormOf(tx).select({ id: projects.id }).from(projects).where(wanted).for('update')
  if (there === undefined) return false
  const tombstone = { ...FORGOTTEN, erasedAt: await readClock(sqlOf(tx)) }
  const gone = await ormOf(tx).update(projects).set(tombstone).where(wanted)
  confirmCompleted(gone, 'UPDATE', 1)
  const revoked = await ormOf(tx)
    .update(projectKeys)
    .set({ revokedAt: sql`coalesce(${projectKeys.revokedAt}, ${tombstone.erasedAt}::timestamptz)`, name: null })
    .where(eq(projectKeys.projectId, id))
  confirmCompleted(revoked, 'UPDATE')
  await announce(tx, { kind: 'all-keys-changed' })
  return true
}

/** Tombstones that are not swept for the last time yet, and whether a sweep that begins now is the last. */
async function listBuried(hot: Sql, orm: Orm, lastAfterSeconds: number): Promise<{ id: ProjectId; isLast: boolean }[]> {
  const since = new Date((await readClock(hot)).getTime() - lastAfterSeconds * 1000)
  const isLast = sql<boolean>`${projects.erasedAt} < ${since}::timestamptz`
  const rows = await orm
    .select({ id: projects.id, isLast })
    .from(projects)
    .where(and(isNotNull(projects.erasedAt), isNull(projects.sweptAt)))
    .orderBy(asc(projects.erasedAt))
    .limit(PROJECT_LIMITS.buriedPerSweepMax)
  return rows as { id: ProjectId; isLast: boolean }[]
}

async function markSwept(hot: Sql, orm: Orm, id: ProjectId): Promise<void> {
  const sweptAt = await readClock(hot)
  const swept = await orm.update(projects).set({ sweptAt }).where(eq(projects.id, id))
  confirmCompleted(swept, 'UPDATE', 1)
}

/**
 * The server's time, for statements that take it as a parameter: Citus refuses `now()` in most places of an UPDATE. It
 * is not this process's clock, because an erasure here and its last sweep elsewhere have to agree.
 */
async function readClock(on: Statements): Promise<Date> {
  return confirmRow(await on<{ now: Date }[]>`select now() as now`).now
}
