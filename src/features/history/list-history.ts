import { z } from 'zod'
import type { ProjectId } from '../../access/principal.js'
import { cursorName, type Page, readCursor, writeCursor } from '../../http/list-page.js'
import type { ChangePosition, HistoryFilter, HistoryRow, ReadHistory } from './history-store.js'

/** A key as people know it: never the key itself. */
type KeyLabel = { readonly label: string | null; readonly prefix: string }
/** The keys of a project, by id: those that were revoked, too. */
export type FindKeys = (projectId: ProjectId) => Promise<ReadonlyMap<string, KeyLabel>>
export type HistoryInput = HistoryFilter & { readonly after: string | undefined; readonly limit: number }

/** A page of a project's changes, newest first, as JSON text, and the cursor of the next one. */
export async function listHistory(
  deps: { readonly read: ReadHistory; readonly findKeys: FindKeys },
  projectId: ProjectId,
  { after, limit, ...filter }: HistoryInput,
): Promise<Page> {
  const position = after === undefined ? undefined : positionOf(after)
  const { rows, isLast } = await deps.read(projectId, filter, position, limit)
  const keys = rows.some(({ keyId }) => keyId !== null) ? await deps.findKeys(projectId) : new Map<string, KeyLabel>()
  const last = isLast ? undefined : rows.at(-1)
  return {
    text: `[${rows.map((row) => renderChange(row, keys)).join(',')}]`,
    next: last === undefined ? undefined : cursorOf(last),
  }
}

function renderChange(row: HistoryRow, keys: ReadonlyMap<string, KeyLabel>): string {
  const { revision, at, keyId, note, profile, alias, action, before, after } = row
  const key = (keyId === null ? undefined : keys.get(keyId)) ?? null
  const shown = { revision, at: at.toISOString(), key, note, profile, alias, action }
  return `${JSON.stringify(shown).slice(0, -1)},"before":${before ?? 'null'},"after":${after ?? 'null'}}`
}

const Position = z.tuple([z.int().positive(), cursorName, cursorName])

const cursorOf = ({ revision, profile, alias }: ChangePosition): string => writeCursor([revision, profile, alias])

function positionOf(cursor: string): ChangePosition {
  const [revision, profile, alias] = readCursor(Position, cursor)
  return { revision, profile, alias }
}
