import { type Logger as PinoLogger, pino } from 'pino'
import { openLogOutput } from './log-output.js'

export type Logger = PinoLogger
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const OPTIONS = {
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label: string) => ({ level: label }) },
}

/** JSON lines, each written before the call returns, on standard output or another file descriptor. */
export function createLogger(level: LogLevel, destination = 1): Logger {
  return pino({ ...OPTIONS, level }, pino.destination({ dest: destination, sync: true }))
}

export type ServiceLogger = { readonly logger: Logger; readonly flush: () => void }

/**
 * The service's log on standard output: readable text where that is a terminal, JSON lines otherwise. JSON is written a
 * buffer at a time: a line appears within a quarter of a second, and logging every request stays cheap. `flush` writes
 * what is left; a killed process loses at most one buffer of log lines.
 */
export async function createServiceLogger(level: LogLevel, isTerminal: boolean): Promise<ServiceLogger> {
  return isTerminal ? createTerminalLogger(level) : createBufferedLogger(level)
}

/** The package that renders text is loaded only here: a service in production does not need it. */
async function createTerminalLogger(level: LogLevel): Promise<ServiceLogger> {
  const { default: pretty } = await import('pino-pretty')
  const stream = pretty({ destination: 1, sync: true, singleLine: true, colorize: true, translateTime: 'HH:MM:ss' })
  return { logger: pino({ ...OPTIONS, level }, stream), flush: () => undefined }
}

function createBufferedLogger(level: LogLevel): ServiceLogger {
  const output = openLogOutput(1, tellDropped)
  // However the process ends, short of being killed: an uncaught error has its last lines, too.
  process.once('exit', output.close)
  return { logger: pino({ ...OPTIONS, level }, output), flush: output.close }
}

/** A line of this log that no logger writes: it goes where lines were missed. */
function tellDropped(lines: number): string {
  const msg = 'log lines were dropped: their reader took them too slowly'
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lines, msg })}\n`
}

/** Something that is away is no fault of this program: where in it the connection was tried says nothing. */
const CONNECTION_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'CONNECT_TIMEOUT', 'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED'],
])
/** Nor is a login that Postgres refuses, or a database that it does not have. */
const LOGIN_REFUSED = /^(28...|3D000)$/

/**
 * What a log line says of an error, without a stack for a connection that was refused or lost: these members and no
 * others, since driver errors carry the statement's parameters. The ORM even writes them into its own message, so of a
 * failed query only its cause is described.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  if ('params' in error) return describeError(error.cause ?? new Error('a query failed'))
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const described = { name: error.name, message: error.message, ...(code === undefined ? {} : { code }) }
  const isElsewhere = code !== undefined && (CONNECTION_CODES.has(code) || LOGIN_REFUSED.test(code))
  return isElsewhere ? described : { ...described, stack: error.stack }
}
