import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const MONITOR = new URL('../fixtures/loop-lag.mjs', import.meta.url).href

export type LoopLag = {
  /** The most that the main thread computed between two turns of the event loop, in milliseconds of processor time. */
  readonly heldMs: number
  /** The longest that a timer came late, in milliseconds: with what other programs took of the processor. */
  readonly delayMs: number
  /** The most memory that the process occupied since the last reading. */
  readonly rssBytesMax: number
}

/** The environment that makes a program tell its lag, and the reading of it. */
export function watchLoop(directory: string) {
  const file = join(directory, 'loop-lag-port')
  const read = async (): Promise<LoopLag> => {
    const port = Number(await readFile(file, 'utf8'))
    return JSON.parse(await text(connect({ port, host: '127.0.0.1' })))
  }
  return { environment: { NODE_OPTIONS: `--import=${MONITOR}`, LOOP_LAG_FILE: file }, read }
}
