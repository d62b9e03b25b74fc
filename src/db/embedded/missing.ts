import type { Away } from './away.js'
import { EmbeddedError } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'
import { pointerFileOf } from './pointer.js'

const COPYING =
  'To copy a database: `llmring-server dump FILE` with the original, and `llmring-server restore FILE` with the copy.'

/** The error of a copied data directory: its database stayed with the original. */
export function copied(home: string, original: string, away: string): EmbeddedError {
  return new EmbeddedError(
    'data-missing',
    `The data directory ${home} is a copy of ${original}, and the database is not in it: it lies in ${away}. ${COPYING} If ${original} is not needed any more, move it away; then this one takes its place.`,
  )
}

/** The error of a data directory that was used before (`witness` is the file that shows it) and has no database now. */
export function lost(home: string, witness: string, others: readonly Away[]): EmbeddedError {
  const shown = others
    .slice(0, EMBEDDED_LIMITS.othersShownMax)
    .map(({ dir, home: of }) => `\n  ${dir} (of ${of ?? 'unknown'})`)
  const hint =
    shown.length === 0
      ? ''
      : `\nDatabases without a data directory of theirs; to use one, write the name of its folder into ${pointerFileOf(home)}:${shown.join('')}`
  return new EmbeddedError(
    'data-missing',
    `The data directory ${home} was used before (${witness} is there), and its database is not found. Bring the database back from a backup, or \`llmring-server restore\` a dump. A data directory that was copied may have come without it. ${COPYING} To start empty, use another data directory.${hint}`,
  )
}

/** The error of a data directory whose pointer is gone, while the database that belongs to it lies in `away`. */
export function unpointed(home: string, { id, dir }: Away): EmbeddedError {
  return new EmbeddedError(
    'data-missing',
    `The database of ${home} lies in ${dir}, and the file ${pointerFileOf(home)}, which says so, is gone. Bring the data directory back from a backup; or, to use that database with a new receipts key: echo ${id} > ${pointerFileOf(home)}. To start empty, move ${dir} away.`,
  )
}
