import { type Config, readConfig } from '../config/config.js'
import { EmbeddedError } from '../db/embedded/embedded-error.js'
import { Aborted } from '../platform/abortable.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import { createLogger, describeError, type Logger } from '../platform/logger.js'
import { explainFileTrouble } from './file-trouble.js'
import { InUse } from './in-use.js'
import { interruptible } from './interruptible.js'
import { NotConfigured } from './not-configured.js'

const EXIT_CONFIG = 78
const STDERR = 2

/** The configuration, or the end of the process with every fault in it. Warnings go to standard error. */
export function prepareConfig(): Config {
  const read = readConfig()
  if (!read.ok) {
    process.stderr.write(`The configuration is wrong:\n${read.faults.map((fault) => `  ${fault}\n`).join('')}`)
    process.exit(EXIT_CONFIG)
  }
  for (const warning of read.warnings) process.stderr.write(`Warning: ${warning}\n`)
  return read.config
}

/**
 * Commands print their answer on standard output, so what they log goes to standard error, and only when it matters.
 */
export function commandLogger(config: Config): Logger {
  return createLogger(config.logging.level === 'info' ? 'warn' : config.logging.level, STDERR)
}

/**
 * Runs a command that stops cleanly when it is interrupted; expected trouble is one line on standard error and the
 * right exit code, never a stack.
 */
export function run(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  return runToItsEnd(() => interruptible(command))
}

/** The same for a command that sees to signals itself. */
export async function runToItsEnd(command: () => Promise<void>): Promise<void> {
  try {
    await command()
  } catch (error) {
    const { message, code } = describeError(error)
    process.stderr.write(`${explainFileTrouble(error) ?? (String(message) || String(code))}\n`)
    process.exitCode = exitCodeOf(error)
    // What was given up may still be waiting for something; all that has to be closed is closed.
    if (error instanceof Aborted) process.exit()
  }
}

function exitCodeOf(error: unknown): number {
  const tells = error instanceof EmbeddedError || error instanceof ConfigurationError
  return tells || error instanceof NotConfigured || error instanceof InUse ? error.exitCode : 1
}
