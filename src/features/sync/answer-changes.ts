import { type Page, renderAnswer, renderChanges, renderStart } from './page.js'
import type { Position } from './position.js'
import type { ReadPage } from './read-pages.js'
import type { Scope } from './store.js'

/** An answer as text, or as the pieces of one that does not fit into a page. */
export type AnswerText = string | AsyncGenerator<string>

/** The changes behind a position, as one JSON document. */
export async function answerChanges(read: ReadPage, scope: Scope, position: Position): Promise<AnswerText> {
  return answerFrom(read, await read(scope, position))
}

/**
 * The document that begins with this page. Its revision is the head as of the first page, and so no later page has a
 * change behind it: what is written meanwhile comes with the next document.
 */
export function answerFrom(read: ReadPage, first: Page): AnswerText {
  return first.isLast ? renderAnswer({ ...first, revision: first.head }, first.changes) : pieces(read, first)
}

/** A page is held at a time, so that a document of any length needs the same memory. */
async function* pieces(read: ReadPage, first: Page): AsyncGenerator<string> {
  yield `${renderStart({ ...first, revision: first.head })}${renderChanges(first.changes)}`
  for (let page = first; !page.isLast; ) {
    page = await read(first.scope, page.next, first.head)
    if (page.isReset) throw new Error('the revisions of a project began anew while its changes were read')
    if (page.changes.length > 0) yield `,${renderChanges(page.changes)}`
  }
  yield ']}'
}
