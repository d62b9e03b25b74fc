import { z } from 'zod'
import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
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
): Promise<{ readonly text: string; readonly next: string | undefined }> {
  const position = after === undefined ? undefined : readCursor(after)
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

/** Opaque to callers: they hand it back as it was given. */
function cursorOf({ revision, profile, alias }: ChangePosition): string {
  return Buffer.from(JSON.stringify([revision, profile, alias])).toString('base64url')
}

function readCursor(text: string): ChangePosition {
  const position = Position.safeParse(parse(Buffer.from(text, 'base64url').toString('utf8')))
  if (position.success) return { revision: position.data[0], profile: position.data[1], alias: position.data[2] }
  const message = 'must be the cursor of a page before'
  throw new AppError('validation-failed', `query/after: ${message}`, { errors: [{ pointer: 'query/after', message }] })
}

const name = z.string().refine((text) => text.isWellFormed() && !text.includes('\0'))
const Position = z.tuple([z.int().positive(), name, name])

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
