import { z } from 'zod'
import type { ProjectId } from '../../access/principal.js'
import { cursorName, type Page, readCursor, writeCursor } from '../../http/list-page.js'
import { ALIAS_LIMITS } from './limits.js'
import type { AliasPosition, ListedAlias, ListPage, ReadPage } from './list-store.js'
import { renderListed } from './render.js'

export type ListInput = { readonly profile: string | undefined; readonly after: string | undefined }

/**
 * All aliases behind `after`, by name, as the pieces of one JSON array. A page is held at a time, so a list of any
 * length needs the same memory; what is written meanwhile may show or not. The first page is read before there is an
 * answer.
 */
export async function listAliases(
  read: ReadPage,
  projectId: ProjectId,
  { profile, after }: ListInput,
): Promise<string | AsyncGenerator<string>> {
  const readAfter = (position: AliasPosition | undefined) =>
    read(projectId, { profile, after: position, rowsMax: ALIAS_LIMITS.pageAliasesMax })
  const first = await readAfter(positionOf(after))
  const piece = pieceOf(first)
  return first.isLast ? `[${piece.text}]` : pieces(piece, readAfter)
}

async function* pieces(
  first: Piece,
  readAfter: (position: AliasPosition | undefined) => Promise<ListPage>,
): AsyncGenerator<string> {
  yield `[${first.text}`
  let { isLast, behind } = first
  while (!isLast) {
    const piece = pieceOf(await readAfter(behind))
    if (piece.text !== '') yield `,${piece.text}`
    ;({ isLast, behind } = piece)
  }
  yield ']'
}

/** What a list keeps of a page while its reader takes it: not the rows, which need several times the memory. */
type Piece = { readonly text: string; readonly isLast: boolean; readonly behind: AliasPosition | undefined }

function pieceOf(page: ListPage): Piece {
  const last = page.rows.at(-1)
  const behind = last === undefined ? undefined : { alias: last.alias, profile: last.profile }
  return { text: textOf(page), isLast: page.isLast, behind }
}

/** At most `limit` aliases behind `after`, by name; fewer if they are large. Throws `validation-failed`. */
export async function pageOfAliases(
  read: ReadPage,
  projectId: ProjectId,
  { profile, after, limit }: ListInput & { readonly limit: number },
): Promise<Page> {
  const page = await read(projectId, { profile, after: positionOf(after), rowsMax: limit })
  const last = page.isLast ? undefined : page.rows.at(-1)
  return { text: `[${textOf(page)}]`, next: last === undefined ? undefined : cursorOf(last) }
}

const textOf = (page: ListPage): string => page.rows.map(renderListed).join(',')

const Position = z.tuple([cursorName, cursorName])

const cursorOf = ({ alias, profile }: ListedAlias): string => writeCursor([alias, profile])

function positionOf(cursor: string | undefined): AliasPosition | undefined {
  if (cursor === undefined) return undefined
  const [alias, profile] = readCursor(Position, cursor)
  return { alias, profile }
}
