import { AppError } from '../../platform/errors.js'
import { ALIAS_LIMITS } from './limits.js'

/** What would break a line, or a terminal. */
const CONTROLS = /\p{Cc}/u

/** What the caller says of its change, kept in the history. Throws `malformed-request` for what is not one line. */
export function readNote(header: (name: string) => string | undefined): string | undefined {
  const sent = header('x-change-note')?.trim()
  if (sent === undefined || sent === '') return undefined
  // Node reads the bytes of a header as Latin-1; people write UTF-8.
  const note = Buffer.from(sent, 'latin1').toString('utf8')
  if (note.length > ALIAS_LIMITS.noteCharactersMax || CONTROLS.test(note) || note.includes('\uFFFD')) {
    const detail = `X-Change-Note is one line of UTF-8 with at most ${ALIAS_LIMITS.noteCharactersMax} characters.`
    throw new AppError('malformed-request', detail)
  }
  return note
}
