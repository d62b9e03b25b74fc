import { createReadTurns } from '../../http/read-turns.js'
import { SYNC_LIMITS } from './limits.js'
import { type Page, toEach, toPage } from './page.js'
import type { Position } from './position.js'
import type { Scope, SyncStore } from './store.js'

/** The page, with what each of its revisions changed if these are few. */
export type ReadEach = (page: Page, since: number) => Promise<Page>
export type ReadPage = (scope: Scope, position: Position, until?: number) => Promise<Page>

/** Reads pages, a few at a time; projects take turns among each other. */
export function createReadPage(read: SyncStore['readPage']): ReadPage {
  const { readsAtOnceMax, readsOfProjectAtOnceMax, readWaitMsMax } = SYNC_LIMITS
  const limits = { atOnceMax: readsAtOnceMax, callerAtOnceMax: readsOfProjectAtOnceMax, waitMsMax: readWaitMsMax }
  const turns = createReadTurns(limits)
  return async (scope, position, until) => {
    const { signal } = new AbortController()
    const raw = await turns.run(scope.projectId, signal, () => read(scope, position, until))
    return toPage(scope, position, raw)
  }
}

/**
 * Revisions that are a few milliseconds apart are read together. Whoever follows is told each: of one that stands between
 * there is nothing in the last state if the next one changed the same alias.
 */
export function createReadEach(read: SyncStore['readEach']): ReadEach {
  return async (page, since) => {
    const { scope, epoch, next, isReset } = page
    const behind = next.since - since
    if (isReset || next.after !== undefined || behind < 2 || behind > SYNC_LIMITS.eachRevisionsMax) return page
    const each = await read(scope, epoch, since, next.since)
    return each === undefined ? page : toEach(page, each)
  }
}

/**
 * A page that ends where a revision does: of one that is too large for a page it reads on, up to the size of the largest
 * event.
 */
export async function readWhole(read: ReadPage, scope: Scope, position: Position): Promise<Page> {
  let page = await read(scope, position)
  let characters = sizeOf(page)
  while (page.next.after !== undefined && characters < SYNC_LIMITS.eventCharactersMax) {
    const more = await read(scope, page.next)
    // The revisions began anew meanwhile: what was read is of no use.
    if (more.isReset) return more
    characters += sizeOf(more)
    page = { ...more, isReset: page.isReset, changes: [...page.changes, ...more.changes] }
  }
  return page
}

function sizeOf({ changes }: Page): number {
  let characters = 0
  for (const { text } of changes) characters += text.length
  return characters
}
