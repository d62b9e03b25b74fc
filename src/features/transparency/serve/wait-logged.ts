import { AppError } from '../../../platform/errors.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'

export type WaitDeps = {
  /** The size of the newest checkpoint; 0 if there is none. */
  readonly publishedSize: () => number
  readonly findIndices: (entries: readonly string[]) => Promise<ReadonlyMap<string, number>>
}

export type Waiters = {
  /** See `TransparencyLog.waitLogged`. Throws `overloaded` if too many wait. */
  readonly wait: (entry: Uint8Array, msMax: number, signal?: AbortSignal) => Promise<boolean>
  /** A checkpoint was published. */
  readonly look: () => void
  readonly count: () => number
  /** All who wait are told no. */
  readonly close: () => void
}

type Waiter = { readonly entry: string; index: number | null; readonly settle: (isLogged: boolean) => void }

/** Those who wait for a checkpoint that covers an entry. One query tells the indices of all of them. */
export function createWaiters(deps: WaitDeps): Waiters {
  const waiters = new Set<Waiter>()
  const look = createLook(() => lookUp(deps, waiters))
  return {
    look: () => {
      if (waiters.size > 0) look()
    },
    count: () => waiters.size,
    close: () => {
      for (const waiter of waiters) waiter.settle(false)
    },
    wait: (entry, msMax, signal) => {
      if (signal?.aborted || msMax <= 0) return Promise.resolve(false)
      if (waiters.size >= TRANSPARENCY_LIMITS.waitersMax) {
        throw new AppError('overloaded', 'Too many requests wait for the log.', { retryAfterSeconds: 1 })
      }
      return new Promise((resolve) => {
        const settle = (isLogged: boolean): void => {
          waiters.delete(waiter)
          clearTimeout(timer)
          signal?.removeEventListener('abort', giveUp)
          resolve(isLogged)
        }
        const waiter: Waiter = { entry: Buffer.from(entry).toString('hex'), index: null, settle }
        const giveUp = () => settle(false)
        const timer = setTimeout(giveUp, msMax)
        signal?.addEventListener('abort', giveUp, { once: true })
        waiters.add(waiter)
        look()
      })
    },
  }
}

/** One look at a time; one that is asked for meanwhile follows. What fails is tried again at the next. */
function createLook(lookOnce: () => Promise<void>): () => void {
  let isLooking = false
  let isAsked = false
  const look = (): void => {
    isAsked = true
    if (isLooking) return
    isLooking = true
    isAsked = false
    const looked = lookOnce().catch(() => undefined)
    void looked.then(() => {
      isLooking = false
      if (isAsked) look()
    })
  }
  return look
}

/** Asks for indices that are not known, of a bounded number of entries, and settles those who are covered. */
async function lookUp({ publishedSize, findIndices }: WaitDeps, waiters: Set<Waiter>): Promise<void> {
  settleCovered(waiters, publishedSize())
  const unknown = [...waiters].filter(({ index }) => index === null).slice(0, TRANSPARENCY_LIMITS.lookEntriesMax)
  if (unknown.length === 0) return
  const indices = await findIndices(unknown.map(({ entry }) => entry))
  for (const waiter of unknown) {
    waiter.index = indices.get(waiter.entry) ?? null
    // Those that are not known yet stand behind those that were not asked for.
    if (waiter.index === null && waiters.delete(waiter)) waiters.add(waiter)
  }
  settleCovered(waiters, publishedSize())
}

function settleCovered(waiters: ReadonlySet<Waiter>, size: number): void {
  for (const waiter of waiters) if (waiter.index !== null && waiter.index < size) waiter.settle(true)
}
