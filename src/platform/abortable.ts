import { createSlices } from './slices.js'

/** Work that was given up because its signal was aborted. */
export class Aborted extends Error {
  override readonly name = 'Aborted'

  constructor(options?: ErrorOptions) {
    super('Interrupted.', options)
  }
}

/** The work's outcome, or `Aborted` as soon as the signal is. The work itself goes on unheard: who began it ends it. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let giveUp: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(new Aborted())
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
  // If the signal comes first, the work's rejection is not an unhandled one.
  work.catch(() => undefined)
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back when the signal is aborted; what is returned takes that back. For a signal that thousands wait for: to add
 * a listener to one, or to remove it, takes as long as there are others, and they are called back in slices.
 */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = waiting.get(signal) ?? new Set()
  if (!waiting.has(signal)) {
    waiting.set(signal, callbacks)
    signal.addEventListener('abort', () => void callAll(callbacks))
  }
  callbacks.add(callback)
  return () => void callbacks.delete(callback)
}

async function callAll(callbacks: ReadonlySet<() => void>): Promise<void> {
  const slices = createSlices()
  for (const call of callbacks) {
    if (slices.isDue()) await slices.pause()
    // It may have been taken back meanwhile.
    if (callbacks.has(call)) call()
  }
}
