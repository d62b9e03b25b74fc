import { toJsonPointer } from '../json/index.js'
import { problemsShownMax, quotedCharactersMax } from './limits.js'

/** What is wrong with a lockfile. `pointer` (RFC 6901) names the member; `''` is the whole document. */
export type LockfileProblem = { readonly pointer: string; readonly message: string }

export type Path = readonly (string | number)[]

/** What a reader found on its way: it goes on after a problem, so that all of them are reported together. */
export type Notes = {
  readonly problems: LockfileProblem[]
  readonly warnings: string[]
  problemCount: number
  /** Something is spelled as only earlier clients, or none, read it. */
  isDated: boolean
}

export const newNotes = (): Notes => ({ problems: [], warnings: [], problemCount: 0, isDated: false })

/** Notes a problem, if it is one of the first. Gives undefined, as the value that could not be read. */
export function problem(notes: Notes, path: Path, message: string): undefined {
  notes.problemCount += 1
  if (notes.problems.length < problemsShownMax) notes.problems.push({ pointer: toJsonPointer(path), message })
  return undefined
}

export function warn(notes: Notes, path: Path, message: string): void {
  if (notes.warnings.length < problemsShownMax) notes.warnings.push(`${toJsonPointer(path)}: ${message}`)
}

/** A stranger's text in a message: short, on one line, and visible. */
export function quoted(text: string): string {
  const shown = text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text
  return `'${shown.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD')}'`
}
