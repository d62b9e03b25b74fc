import { type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const OPTIONS = {
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label: string) => ({ level: label }) },
}
const BUFFER_BYTES = 8_192
const FLUSH_EVERY_MS = 250

/** JSON lines, each written before the call returns, on standard output or another file descriptor. */
export function createLogger(level: LogLevel, destination = 1): Logger {
  return pino({ ...OPTIONS, level }, pino.destination({ dest: destination, sync: true }))
}

/**
 * JSON lines on standard output, a buffer at a time: a line appears within a quarter of a second, and logging every
 * request stays cheap. `flush` writes what is left; a killed process loses at most one buffer of log lines.
 */
export function createServiceLogger(level: LogLevel): { readonly logger: Logger; readonly flush: () => void } {
  const destination = pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES })
  const timer = setInterval(() => destination.flush(), FLUSH_EVERY_MS)
  timer.unref()
  const flush = () => {
    clearInterval(timer)
    destination.flushSync()
  }
  return { logger: pino({ ...OPTIONS, level }, destination), flush }
}

/**
 * What a log line says of an error: these members and no others, since driver errors carry the statement's parameters. The
 * ORM even writes them into its own message, so of a failed query only its cause is described.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  if ('params' in error) return describeError(error.cause ?? new Error('a query failed'))
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  return { name: error.name, message: error.message, ...code, stack: error.stack }
}
