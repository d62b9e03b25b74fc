import type { ProjectId } from '../../access/principal.js'
import type { ExportedPage } from '../contract.js'
import type { ExportedChange, ExportStore, HistoryPosition, ReadRevisionRows } from './export-store.js'
import { renderListed } from './render.js'
import type { AliasStore } from './store.js'

/** A project's revision and the counters beside it: with them its aliases can be put back as they were. */
export async function exportHead(store: Pick<AliasStore, 'findHead'>, projectId: ProjectId): Promise<ExportedPage> {
  const head = await store.findHead(projectId)
  if (head === undefined) return { rows: [], next: null }
  const row = {
    ...{ epoch: head.epoch, revision: head.revision, last_id: head.lastId, last_place: head.lastPlace },
    alias_count: head.aliasCount,
  }
  return { rows: [JSON.stringify(row)], next: null }
}

/** A page of a project's aliases, by id. */
export async function exportAliases(
  store: ExportStore,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const { rows, isLast } = await store.pageOfAliases(projectId, Number(after ?? 0), rowsMax)
  const last = isLast && rows.length < rowsMax ? undefined : rows.at(-1)
  return { rows: rows.map(renderListed), next: last === undefined ? null : String(last.id) }
}

/** A page of a project's alias history, oldest first. */
export async function exportHistory(
  store: ExportStore,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const position = after === null ? undefined : (JSON.parse(after) as HistoryPosition)
  const { rows, isLast } = await store.pageOfHistory(projectId, position, rowsMax)
  const last = isLast && rows.length < rowsMax ? undefined : rows.at(-1)
  const next =
    last === undefined ? null : JSON.stringify({ revision: last.revision, profile: last.profile, alias: last.alias })
  return { rows: rows.map(renderChange), next }
}

/** A page of what is kept of each revision, in their order: whole rows as JSON. */
export async function exportRevisionRows(
  read: ReadRevisionRows,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const { rows, isLast } = await read(projectId, Number(after ?? 0), rowsMax)
  const last = isLast ? undefined : rows.at(-1)
  return { rows: rows.map(({ text }) => text), next: last === undefined ? null : String(last.revision) }
}

function renderChange({
  revision,
  profile,
  alias,
  action,
  models,
  constraints,
  metadata,
  keyId,
  changedAt,
  place,
}: ExportedChange) {
  const shown = { revision, profile, alias, action, models, place, key_id: keyId, changed_at: changedAt.toISOString() }
  const large = `"constraints":${constraints ?? 'null'},"metadata":${metadata ?? 'null'}`
  return `${JSON.stringify(shown).slice(0, -1)},${large}}`
}
