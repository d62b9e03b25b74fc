import type { Socket } from 'node:net'
import { HTTP_LIMITS } from '../limits.js'

export type UnreadLimits = {
  /** Of all connections together. */
  readonly unreadBytesMax: number
  /** How long a reader may take nothing of what waits for it. */
  readonly unreadMsMax: number
}

export type Unread = {
  /** The bytes of responses that wait for their readers in this process (the system's own buffers are beside it). */
  readonly bytes: () => number
  /** Whether they are more than may be. */
  readonly isExcessive: () => boolean
  /** Cuts readers that take nothing; to be called again and again. */
  readonly check: () => void
}

type Reader = Pick<Socket, 'writableLength' | 'destroy'>
/** What the system has taken of a connection so far, and when that became more. */
type Progress = { readonly takenBytes: number; readonly sinceMs: number }

/**
 * A reader that takes nothing is cut in the end, or as soon as the memory that all of them hold is needed: the ones that
 * have taken nothing for longest first. So nothing has to be refused on their account, and a reader that is slow stays.
 * Measured at the sockets, so that there is nothing to give back. What one reader shares with others is held once, and
 * has limits of its own (`isShared`): such a reader counts nothing.
 */
export function createUnread(
  open: ReadonlySet<Socket>,
  { unreadBytesMax, unreadMsMax }: UnreadLimits,
  now: () => number = () => performance.now(),
  isShared: (reader: Reader) => boolean = () => false,
): Unread {
  const known = new WeakMap<Reader, Progress>()
  const progressOf = (reader: Reader): Progress => {
    const takenBytes = takenBytesOf(reader)
    const before = known.get(reader)
    const progress = before?.takenBytes === takenBytes ? before : { takenBytes, sinceMs: now() }
    known.set(reader, progress)
    return progress
  }
  let lately = { ms: Number.NEGATIVE_INFINITY, isExcessive: false }
  return {
    bytes: () => bytesOf(open, isShared),
    // Of ten thousand connections the sum is not made for each that asks.
    isExcessive: () => {
      if (now() - lately.ms >= HTTP_LIMITS.roomHoldsMs) {
        lately = { ms: now(), isExcessive: bytesOf(open, isShared) > unreadBytesMax }
      }
      return lately.isExcessive
    },
    check: () => {
      const held = [...open].filter(({ writableLength }) => writableLength > 0)
      const waiting = held.map((reader) => ({ reader, ...progressOf(reader) }))
      waiting.sort((one, other) => one.sinceMs - other.sinceMs)
      let bytes = bytesOf(held, isShared)
      for (const { reader, sinceMs } of waiting) {
        const isLate = now() - sinceMs >= unreadMsMax
        if (bytes <= unreadBytesMax && !isLate) return
        if (isShared(reader)) {
          if (!isLate) continue
        } else bytes -= reader.writableLength
        reader.destroy()
      }
    },
  }
}

function bytesOf(readers: Iterable<Reader>, isShared: (reader: Reader) => boolean): number {
  let bytes = 0
  for (const reader of readers) if (reader.writableLength > 0 && !isShared(reader)) bytes += reader.writableLength
  return bytes
}

/**
 * What a socket handed to the system, less what the system has not taken yet: Node's own timeout looks at the same two
 * numbers. A large write is one to Node's stream, whose own count does not show its progress.
 */
function takenBytesOf(reader: Reader): number {
  const { _handle: handle } = reader as Reader & { readonly _handle?: Readonly<Record<string, number>> | null }
  return (handle?.['bytesWritten'] ?? 0) - (handle?.['writeQueueSize'] ?? 0)
}
