const EXIT_CONFIG = 78

/** A setting that a command needs and that is not set: the command ends with 78 (EX_CONFIG). */
export class NotConfigured extends Error {
  override readonly name = 'NotConfigured'
  readonly exitCode = EXIT_CONFIG
}
