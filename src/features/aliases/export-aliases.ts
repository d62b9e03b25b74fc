import type { ProjectId } from '../../access/principal.js'
import type { ExportPage } from '../contract.js'
import { renderAlias } from './render.js'
import type { AliasStore, HistoryPlace } from './store.js'

type Page = Awaited<ReturnType<ExportPage>>

const PAGE_ROWS = 500

/** A project's revision and the counters beside it: with them its aliases can be put back as they were. */
export async function exportHead(store: AliasStore, projectId: ProjectId): Promise<Page> {
  const head = await store.findHead(projectId)
  if (head === undefined) return { rows: [], next: null }
  return { rows: [{ revision: head.revision, last_id: head.lastId, alias_count: head.aliasCount }], next: null }
}

/** A page of a project's aliases, by id. */
export async function exportAliases(store: AliasStore, projectId: ProjectId, after: string | null): Promise<Page> {
  const rows = await store.pageOfAliases(projectId, Number(after ?? 0), PAGE_ROWS)
  const last = rows.length === PAGE_ROWS ? rows.at(-1) : undefined
  return { rows: rows.map(renderAlias), next: last === undefined ? null : String(last.id) }
}

/** A page of a project's alias history, oldest first. */
export async function exportHistory(store: AliasStore, projectId: ProjectId, after: string | null): Promise<Page> {
  const place = after === null ? undefined : (JSON.parse(after) as HistoryPlace)
  const rows = await store.pageOfHistory(projectId, place, PAGE_ROWS)
  const last = rows.length === PAGE_ROWS ? rows.at(-1) : undefined
  const next =
    last === undefined ? null : JSON.stringify({ revision: last.revision, profile: last.profile, alias: last.alias })
  return { rows: rows.map(renderChange), next }
}

type Change = Awaited<ReturnType<AliasStore['pageOfHistory']>>[number]

const renderChange = (change: Change) => ({
  revision: change.revision,
  profile: change.profile,
  alias: change.alias,
  action: change.action,
  models: change.models,
  constraints: change.constraints,
  metadata: change.metadata,
  key_id: change.keyId,
  changed_at: change.changedAt.toISOString(),
})
