/** Why the embedded Postgres cannot be used. */
export type EmbeddedErrorCode = 'in-use' | 'binaries-missing' | 'wrong-major' | 'data-missing' | 'start-failed'

/** EX_TEMPFAIL of sysexits.h: the same command works once the other service has ended. */
const TEMPORARY_FAILURE = 75
/** EX_CONFIG of sysexits.h: it takes a person to mend it. */
const WRONG_CONFIGURATION = 78

const EXIT_CODES: Readonly<Record<EmbeddedErrorCode, number>> = {
  'in-use': TEMPORARY_FAILURE,
  'data-missing': WRONG_CONFIGURATION,
  'binaries-missing': 1,
  'wrong-major': 1,
  'start-failed': 1,
}

/** Expected trouble with the embedded Postgres. The message is for people and says what to do; it holds no secret. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
  readonly code: EmbeddedErrorCode
  /** What the program's exit code should be: 75 where another service has the data, 78 where data is lost, else 1. */
  readonly exitCode: number

  constructor(code: EmbeddedErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.exitCode = EXIT_CODES[code]
  }
}

/** The `in-use` error for the data in `dir`. */
export function inUse(dir: string): EmbeddedError {
  return new EmbeddedError(
    'in-use',
    `The database in ${dir} is in use by another llmring-server. Stop that one first, or give this one a data directory of its own.`,
  )
}

/** The error of a start that was interrupted. */
export function givenUp(): EmbeddedError {
  return new EmbeddedError('start-failed', 'The start of PostgreSQL was given up.')
}

/** A system call's error code (`ENOENT`, `EACCES`, …) or a Postgres SQLSTATE; undefined for anything else thrown. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Whatever was thrown as an `EmbeddedError`: unforeseen trouble is a `start-failed` in its own words. */
export function asEmbeddedError(error: unknown): EmbeddedError {
  return error instanceof EmbeddedError ? error : new EmbeddedError('start-failed', messageOf(error), { cause: error })
}
