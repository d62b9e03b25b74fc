/** What a deadline rejects with unless its caller has an error of its own. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'

  constructor(ms: number) {
    super(`took longer than ${ms} ms`)
  }
}

/** Cancels what it was returned for. */
export type Cancel = () => void

/** What waits for one length of time, the earliest first, and the timer that they share. */
type Queue = { readonly waiting: Set<Waiting>; timer: NodeJS.Timeout; firesAt: number }
type Waiting = { readonly dueAt: number; readonly expire: () => void }

/** Waits of the same length end in the order in which they began, so each length has a queue and one timer. */
const queues = new Map<number, Queue>()

/**
 * The work's outcome, or the rejection `late()` if it does not settle within `msMax` milliseconds. The work itself goes
 * on unheard: `late` may end it. Requests that overlap share one timer, since a timer for each would cost the hot
 * paths.
 */
export function deadline<T>(
  work: Promise<T>,
  msMax: number,
  late: () => Error = () => new DeadlineExceeded(msMax),
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = expireAfter(msMax, () => resolve(rejectWith(late)))
    work.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}

/** Calls `expire` after `ms` milliseconds unless it is cancelled before. What waits keeps the process alive. */
export function expireAfter(ms: number, expire: () => void): Cancel {
  const now = performance.now()
  const entry: Waiting = { dueAt: now + ms, expire }
  const queue = queues.get(ms) ?? openQueue(ms, now)
  // A timer that should have fired by now, or later than is possible, belongs to another clock (a test's): not waited
  // for.
  if (queue.firesAt < now || queue.firesAt > now + ms) arm(queue, ms, now, ms)
  if (queue.waiting.size === 0) queue.timer.ref()
  queue.waiting.add(entry)
  return () => {
    if (queue.waiting.delete(entry) && queue.waiting.size === 0) queue.timer.unref()
  }
}

function openQueue(ms: number, now: number): Queue {
  const queue = { waiting: new Set<Waiting>(), timer: setTimeout(() => sweep(queue, ms), ms), firesAt: now + ms }
  queues.set(ms, queue)
  return queue
}

/** The timer goes on after the last one was cancelled: the next one finds it running. A sweep without any ends it. */
function sweep(queue: Queue, ms: number): void {
  const now = performance.now()
  for (const entry of queue.waiting) {
    // Timers may fire a part of a millisecond early.
    if (entry.dueAt > now + 1) {
      arm(queue, ms, now, entry.dueAt - now)
      return
    }
    queue.waiting.delete(entry)
    entry.expire()
  }
  queues.delete(ms)
}

function arm(queue: Queue, ms: number, now: number, inMs: number): void {
  clearTimeout(queue.timer)
  queue.timer = setTimeout(() => sweep(queue, ms), inMs)
  queue.firesAt = now + inMs
}

async function rejectWith(late: () => Error): Promise<never> {
  throw late()
}
