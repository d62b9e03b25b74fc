import { AppError } from '../../../platform/errors.js'
import type { UsageRow } from '../event.js'
import type { KeptMark, MarkStore } from './mark-store.js'

/**
 * What became of a row: it was written; or its mark was there before, with this answer (null: it is a whole batch's);
 * or that could not be found out.
 */
export type Recorded =
  | { readonly status: 'written' }
  | { readonly status: 'replayed'; readonly sha256: string; readonly answer: string | null }
  | { readonly status: 'failed'; readonly error: AppError }

const WRITTEN: Recorded = { status: 'written' }

/**
 * What became of each row of a committed group. `replayed` are the places of those that may have been marked before:
 * their marks are read by a statement of its own, since that of the group could not see what another instance had just
 * committed. If that fails, it fails for these rows alone.
 */
export async function settleReplays(
  find: MarkStore['find'],
  rows: readonly UsageRow[],
  replayed: readonly number[],
): Promise<Recorded[]> {
  const answers = rows.map(() => WRITTEN)
  if (replayed.length === 0) return answers
  const asked = replayed.flatMap((place) => {
    const row = rows[place]
    return row?.mark === undefined
      ? []
      : [{ place, row, id: nameOf({ projectId: row.projectId, ...row.mark }), mark: row.mark }]
  })
  try {
    const found = await find(asked.map(({ row, mark: { key, item } }) => ({ projectId: row.projectId, key, item })))
    const kept = new Map(found.map((mark) => [nameOf(mark), mark]))
    for (const { place, row, id } of asked) answers[place] = answerOf(row, kept.get(id))
  } catch (cause) {
    const detail = 'The first answer to this idempotency key could not be read; nothing more was written.'
    const error = new AppError('database-unavailable', detail, { retryAfterSeconds: 1, cause })
    for (const { place } of asked) answers[place] = { status: 'failed', error }
  }
  return answers
}

function answerOf(row: UsageRow, kept: KeptMark | undefined): Recorded {
  if (kept === undefined) {
    // It was forgotten between the two statements.
    const detail = 'The idempotency key ran out just now; nothing was written.'
    return { status: 'failed', error: new AppError('database-unavailable', detail, { retryAfterSeconds: 1 }) }
  }
  // Its own: the connection was lost behind the commit.
  if (kept.logId === row.id) return WRITTEN
  return { status: 'replayed', sha256: kept.sha256, answer: kept.answer }
}

function nameOf({ projectId, key, item }: { projectId: string; key: string; item: number }): string {
  return `${projectId} ${item} ${key}`
}
