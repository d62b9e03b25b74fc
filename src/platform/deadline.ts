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
type Queue = { first: Waiting | null; last: Waiting | null; timer: NodeJS.Timeout; firesAt: number }
/** One of a queue, with those beside it; `expire` is null once it left. */
type Waiting = { readonly dueAt: number; expire: (() => void) | null; before: Waiting | null; behind: Waiting | null }

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
  const entry: Waiting = { dueAt: now + ms, expire, before: null, behind: null }
  const queue = queues.get(ms) ?? openQueue(ms, now)
  // A timer that should have fired by now, or later than is possible, belongs to another clock (a test's): not waited
  // for.
  if (queue.firesAt < now || queue.firesAt > now + ms) arm(queue, ms, now, ms)
  if (queue.first === null) queue.timer.ref()
  join(queue, entry)
  return () => {
    if (entry.expire === null) return
    leave(queue, entry)
    if (queue.first === null) queue.timer.unref()
  }
}

function join(queue: Queue, entry: Waiting): void {
  entry.before = queue.last
  if (queue.last === null) queue.first = entry
  else queue.last.behind = entry
  queue.last = entry
}

/**
 * What left holds nothing any more. A Set would: each time that it makes room it leaves a table behind with all that
 * waited then and a pointer to the next one, so that one table which has grown old keeps all later ones, and the
 * requests in them, until the next full collection. That was a fifth of what a logged event cost.
 */
function leave(queue: Queue, entry: Waiting): void {
  const { before, behind } = entry
  if (before === null) queue.first = behind
  else before.behind = behind
  if (behind === null) queue.last = before
  else behind.before = before
  entry.expire = entry.before = entry.behind = null
}

function openQueue(ms: number, now: number): Queue {
  const timer = setTimeout(() => sweep(queue, ms), ms)
  const queue: Queue = { first: null, last: null, timer, firesAt: now + ms }
  queues.set(ms, queue)
  return queue
}

/** The timer goes on after the last one was cancelled: the next one finds it running. A sweep without any ends it. */
function sweep(queue: Queue, ms: number): void {
  const now = performance.now()
  for (let entry = queue.first; entry !== null; entry = queue.first) {
    // Timers may fire a part of a millisecond early.
    if (entry.dueAt > now + 1) {
      arm(queue, ms, now, entry.dueAt - now)
      return
    }
    const { expire } = entry
    leave(queue, entry)
    expire?.()
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
