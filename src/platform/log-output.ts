import { writeSync } from 'node:fs'
import { LOG_LIMITS } from './limits.js'

export type LogOutput = {
  write(line: string): void
  /** Writes what waits, for at most `closeMsMax`: a reader that is gone or reads nothing must not keep the process. */
  close(): void
}

/**
 * Log lines on a file descriptor, a buffer at a time. What its reader does not take is kept up to `bufferBytesMax`;
 * lines beyond that are dropped and counted, with a line that says so once half of the room is
 * free again; all are dropped once the reader is gone. It is not pino's own destination because that one
 * tries its last flush for ever if the reader is gone (sonic-boom 4.2.1, `flushSync` on EPIPE) or takes nothing.
 */
export function openLogOutput(fd: number, tellDropped: (lines: number) => string): LogOutput {
  const waiting = createWaiting(tellDropped)
  let isBlocked = false
  let isBroken = false

  /** One call of the system: a pipe takes what fits, since Node makes those of standard output non-blocking. */
  const flush = (): void => {
    isBlocked = false
    const next = waiting.next()
    if (next.length === 0) return
    try {
      waiting.drop(writeSync(fd, next))
    } catch (error) {
      isBlocked = true
      if (!mayWorkLater(error)) giveUp()
    }
  }
  const giveUp = (): void => {
    isBroken = true
    waiting.clear()
  }
  const timer = setInterval(flush, LOG_LIMITS.flushMs).unref()

  return {
    write: (line) => {
      if (isBroken) return
      waiting.add(line)
      if (waiting.bytes() >= LOG_LIMITS.flushBytes && !isBlocked) flush()
    },
    close: () => {
      clearInterval(timer)
      const giveUpAt = performance.now() + LOG_LIMITS.closeMsMax
      for (flush(); waiting.bytes() > 0 && performance.now() < giveUpAt; flush()) {
        if (isBlocked) sleep(LOG_LIMITS.retryMs)
      }
    },
  }
}

/** The lines that are not written yet. Those that there is no room for are counted. */
function createWaiting(tellDropped: (lines: number) => string) {
  let lines: string[] = []
  /** What the last call did not take of what it was given. */
  let rest: Buffer = Buffer.alloc(0)
  let bytes = 0
  let droppedLines = 0
  const add = (line: string): void => {
    const size = Buffer.byteLength(line)
    if (bytes + size > LOG_LIMITS.bufferBytesMax) {
      droppedLines += 1
      return
    }
    lines.push(line)
    bytes += size
  }
  return {
    add,
    bytes: () => bytes,
    next: (): Buffer => {
      if (rest.length === 0) rest = Buffer.from(lines.splice(0).join(''))
      return rest
    },
    /** Drops what was written of `next`. */
    drop: (count: number): void => {
      rest = rest.subarray(count)
      bytes -= count
      if (droppedLines === 0 || bytes > LOG_LIMITS.bufferBytesMax / 2) return
      add(tellDropped(droppedLines))
      droppedLines = 0
    },
    clear: (): void => {
      rest = Buffer.alloc(0)
      lines = []
      bytes = 0
    },
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** The pipe is full, or a signal came between; everything else says that no write will work again. */
function mayWorkLater(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EINTR')
}
