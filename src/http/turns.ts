import { expireAfter } from '../platform/deadline.js'
import { AppError } from '../platform/errors.js'
import { type RequestContext, whenHandled } from './request-context.js'

export type TurnLimits = {
  readonly bytesMax: number
  /** Of these, what may begin before everything else gets a turn on the event loop. */
  readonly stepBytesMax: number
  readonly waitMsMax: number
}

/** A large body is handled in its turn, which lasts until its handler is done. */
export type Turns = {
  /**
   * Resolves when the body may be handled. Throws `overloaded` after `waitMsMax`, and if the request is over before.
   */
  take(bytes: number, context: RequestContext): Promise<void>
}

type Waiting = { readonly bytes: number; readonly start: () => void }

/**
 * Bodies of at most `bytesMax` bytes together are handled at a time (one that is larger: alone), the others wait in the
 * order in which they came; those that may begin at the same moment take steps. Parsed, checked and written out, a body
 * takes up to ten times its bytes: 32 of 4 MiB at once took 1.1 GB.
 */
export function createTurns({ bytesMax, stepBytesMax, waitMsMax }: TurnLimits): Turns {
  const waiting = new Set<Waiting>()
  let taken = 0
  let begun = 0
  const nextStep = () => {
    begun = 0
    startNext()
  }
  const startNext = () => {
    for (const next of waiting) {
      if (taken > 0 && taken + next.bytes > bytesMax) return
      // The step after this one goes on here.
      if (begun > 0 && begun + next.bytes > stepBytesMax) return
      if (begun === 0) setImmediate(nextStep)
      begun += next.bytes
      waiting.delete(next)
      taken += next.bytes
      next.start()
    }
  }
  return {
    take: (bytes, context) =>
      new Promise((resolve, reject) => {
        let isTaken = false
        const start = () => {
          isTaken = true
          cancelWait()
          resolve()
        }
        const giveUp = () => {
          cancelWait()
          reject(new AppError('overloaded', 'Too many large bodies are being handled.', { retryAfterSeconds: 1 }))
        }
        const own: Waiting = { bytes, start }
        const cancelWait = expireAfter(waitMsMax, () => void (waiting.delete(own) && giveUp()))
        waiting.add(own)
        whenHandled(context, () => {
          if (waiting.delete(own)) giveUp()
          if (isTaken) taken -= bytes
          startNext()
        })
        startNext()
      }),
  }
}
