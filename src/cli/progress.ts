import type { Progress, Summary } from '../db/dump/progress.js'
import { type Clock, monotonicClock } from '../platform/clock.js'
import { CLI_LIMITS } from './limits.js'

type ProgressOptions = {
  readonly write: (text: string) => void
  /** A terminal shows the line again and again in its place; anything else gets a line now and then. */
  readonly terminal: boolean
  readonly clock: Clock
}

const CLEAR_TO_END = '\u001b[K'

/** Shows how far a dump or a restore is: one line a table, and one for the table under way. */
export function createProgress({ write, terminal, clock }: ProgressOptions): (progress: Progress) => void {
  const everyMs = terminal ? CLI_LIMITS.terminalProgressMs : CLI_LIMITS.lineProgressMs
  let shownAt = clock()
  return (progress) => {
    const now = clock()
    if (!progress.done && now - shownAt < everyMs) return
    shownAt = now
    const text = `${progress.table.padEnd(24)} ${count(progress.rows, 'row').padStart(14)}  ${size(progress.bytes).padStart(12)}`
    if (terminal) write(`\r${text}${CLEAR_TO_END}${progress.done ? '\n' : ''}`)
    else write(`${text}${progress.done ? '' : ' …'}\n`)
  }
}

/** Progress on standard error where that is a terminal, or where it is asked for. */
export function progressOnStandardError(asked: { readonly progress?: boolean }): {
  readonly onProgress?: (progress: Progress) => void
} {
  const terminal = process.stderr.isTTY === true
  if (!terminal && asked.progress !== true) return {}
  const write = (text: string) => void process.stderr.write(text)
  return { onProgress: createProgress({ write, terminal, clock: monotonicClock }) }
}

/** `9 tables, 12,345 rows, 1.2 MB`. */
export function renderSummary({ tables, bytes }: Summary): string {
  const rows = Object.values(tables).reduce((sum, of) => sum + of, 0)
  return `${count(Object.keys(tables).length, 'table')}, ${count(rows, 'row')}, ${size(bytes)}`
}

const count = (things: number, name: string) => `${things.toLocaleString('en-US')} ${name}${things === 1 ? '' : 's'}`
const size = (bytes: number) => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`)
