/** EX_TEMPFAIL of sysexits.h: the same command works once the other process has ended. */
const EXIT_IN_USE = 75

/** What a command needs for itself is used by another process. */
export class InUse extends Error {
  override readonly name = 'InUse'
  readonly exitCode = EXIT_IN_USE
}
