/** Settings or key files that cannot be used as they are: the program does not start, and exits with 78 (EX_CONFIG). */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError'
  readonly code = 'config-fault'
  readonly exitCode = 78
}
