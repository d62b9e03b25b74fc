import { LOCKFILE_LIMITS, type LockfileLimits } from './limits.js'
import type { LockValue } from './lock-value.js'
import type { Lockfile, LockfileFormat } from './lockfile.js'
import { type LockfileProblem, type Notes, newNotes, problem } from './notes.js'
import { pythonText } from './python-text.js'
import { readJson } from './read-json.js'
import { readLockfile } from './read-lockfile.js'
import { readToml } from './read-toml.js'

export type LockfileOptions = {
  readonly limits?: LockfileLimits
  /** `keep` reads models that name no provider, as a server may serve them; `refuse` is the default. */
  readonly bareModels?: 'refuse' | 'keep'
  /** `refuse` is for who keeps constraints and metadata in a database: NUL and halves of surrogate pairs in them. */
  readonly unstorableText?: 'refuse' | 'keep'
  /** `refuse` is for who unbinds what a file does not bind: one that names no profiles is one that was sent by mistake. */
  readonly missingProfiles?: 'refuse' | 'keep'
}

export type LockfileResult =
  | {
      readonly ok: true
      readonly lockfile: Lockfile
      readonly warnings: readonly string[]
      /** The Python client of today does not read this spelling as it is meant: better written anew. */
      readonly isDated: boolean
    }
  /** The first problems, and how many there are in all. */
  | { readonly ok: false; readonly problems: readonly LockfileProblem[]; readonly problemCount: number }

/**
 * Reads a lockfile in any of its three spellings: bindings with `models`, with `provider` and `model` (August 2025), or
 * `[aliases.x]`. All problems are reported together. Never throws. Members that no lockfile has are dropped with a
 * warning, as the Python client drops them; a file that it would load as something else than it says is refused.
 */
export function parseLockfile(text: string, format: LockfileFormat, options: LockfileOptions = {}): LockfileResult {
  const { limits = LOCKFILE_LIMITS, bareModels = 'refuse', unstorableText = 'keep', missingProfiles = 'keep' } = options
  const notes = newNotes()
  const root = readDocument(text, format, limits, notes)
  const reading = { notes, limits, bareModels, unstorableText, missingProfiles }
  const lockfile = root === undefined ? undefined : readLockfile(reading, root)
  const { warnings, isDated } = notes
  if (lockfile !== undefined && notes.problemCount === 0) return { ok: true, lockfile, warnings, isDated }
  return { ok: false, problems: notes.problems, problemCount: notes.problemCount }
}

function readDocument(
  text: string,
  format: LockfileFormat,
  limits: LockfileLimits,
  notes: Notes,
): LockValue | undefined {
  if (text.length > limits.textCharactersMax) {
    return problem(notes, [], `The file has more than ${limits.textCharactersMax} characters.`)
  }
  // TOML parsers skip it; the Python client takes it for a part of the first name.
  if (text.startsWith('\uFEFF')) {
    return problem(notes, [], 'The file begins with a byte order mark; save it as UTF-8 without one.')
  }
  return (format === 'toml' ? readToml : readJson)(text, limits, notes)
}

/**
 * The value of a JSON text in Python's canonical spelling: names sorted by code point, no spaces, ASCII, floats as
 * `repr` writes them, integers exact. Throws `SyntaxError` if the text is no JSON, or holds a name twice in one object.
 */
export function canonicalText(jsonText: string): string {
  const notes = newNotes()
  const value = readJson(jsonText, LOCKFILE_LIMITS, notes)
  if (value === undefined || notes.problemCount > 0) throw new SyntaxError(notes.problems[0]?.message)
  return pythonText(value)
}
