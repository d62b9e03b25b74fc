export type AliasErrorCode =
  /** The name is not bound, and is no `provider:model`. */
  | 'alias-not-found'
  /** `requireAliases`: some are not bound. */
  | 'aliases-missing'
  /** The alias is bound, and none of its models can be used: nothing satisfies a wildcard's constraints. */
  | 'no-candidate'
  /** What was given cannot be bound. */
  | 'bad-binding'
  | 'lockfile-missing'
  | 'lockfile-exists'
  | 'lockfile-invalid'
  /** The lockfile was changed by another program again and again. */
  | 'lockfile-busy'
  /** The server did not answer, or not in time. */
  | 'server-unreachable'
  /** The server refused; `problem` holds its status and its words. */
  | 'server-refused'
  | 'registry-unavailable'

/** Members of an RFC 9457 problem, as the server sends them. */
export type Problem = {
  readonly status: number
  readonly code?: string
  readonly detail?: string
  readonly [member: string]: unknown
}

/** Everything that a client throws, but for mistakes of its own. */
export class AliasError extends Error {
  override readonly name = 'AliasError'
  readonly code: AliasErrorCode
  /** Of `server-refused`. */
  readonly problem: Problem | undefined

  constructor(code: AliasErrorCode, message: string, options: ErrorOptions & { readonly problem?: Problem } = {}) {
    super(message, options)
    this.code = code
    this.problem = options.problem
  }
}
