import type { ProblemCode } from './problem-catalogue.js'

/** One thing that is wrong with the input: `pointer` is an RFC 6901 JSON pointer (or the name of a query value). */
export type FieldError = { readonly pointer: string; readonly message: string }

export type AppErrorExtras = {
  /** What is wrong, field by field (422). */
  readonly errors?: readonly FieldError[]
  /** The state that the request conflicts with (409, 412). */
  readonly current?: unknown
  /** The revision that holds (412). */
  readonly revision?: number
  /** Whole seconds after which a retry makes sense (429, 503). */
  readonly retryAfterSeconds?: number
  /** The methods that the resource knows (405). */
  readonly allow?: readonly string[]
  /** The content codings that a body may have here (415). */
  readonly acceptEncoding?: string
  /** What kind of error an upstream called it. */
  readonly upstreamType?: string
  /** Further headers of the response. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** Expected trouble: a code of the catalogue and a sentence for the caller. The sentence leaves the process. */
export class AppError extends Error {
  readonly code: ProblemCode
  readonly extras: AppErrorExtras

  constructor(code: ProblemCode, detail: string, extras: AppErrorExtras = {}) {
    // What is expected is told by its code. Capturing the stack would cost more than the rest of a refused request.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'AppError'
    this.code = code
    this.extras = extras
  }
}
