import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { expireAfter } from '../../platform/deadline.js'
import type { Stop } from '../../platform/stop.js'
import { GATEWAY_LIMITS } from './limits.js'
import { UpstreamTrouble } from './trouble.js'

export type AnswerHead = { readonly status: number; readonly headers: IncomingHttpHeaders }

/** What an upstream sends, as it comes. */
export type Receiving = {
  /** For `dispatch`, which calls it. */
  readonly handler: Dispatcher.DispatchHandler
  /** Rejects if there comes none. */
  readonly head: Promise<AnswerHead>
  /** The next piece of the body, null at its end. Throws `UpstreamTrouble` for one that breaks off or stands still. */
  next(): Promise<Uint8Array | null>
  /** Ends it, if it has not ended; what it does then is not heard. */
  abort(): void
}

type Waiter<T> = { resolve(value: T): void; reject(error: Error): void }

const GIVEN_UP = new Error('The answer of an upstream is not waited for any more.')

/** Why a call ends before its answer does: its time is over, or its caller left. */
export type EndedBy = 'out-of-time' | 'cancelled'

/**
 * Takes an answer below undici's streams, signals and iterators, which cost as much as the exchange itself. A body that
 * is not read is not taken from the connection, but for `aheadBytesMax` of it.
 */
export function receiveAnswer(idleMsMax: number, stop: Stop<EndedBy>): Receiving {
  const pieces: Uint8Array[] = []
  let ahead = 0
  let state: 'open' | 'ended' | 'broken' = 'open'
  let controller: Dispatcher.DispatchController | undefined
  let reader: Waiter<Uint8Array | null> | undefined
  let headWaiter: Waiter<AnswerHead> | undefined
  const head = new Promise<AnswerHead>((resolve, reject) => {
    headWaiter = { resolve, reject }
  })

  const end = (error?: Error): void => {
    if (state !== 'open') return
    state = error === undefined ? 'ended' : 'broken'
    if (error === undefined) reader?.resolve(null)
    else {
      headWaiter?.reject(error)
      reader?.reject(new UpstreamTrouble({ kind: stop.why() ?? 'cut' }))
    }
    reader = undefined
    forget()
  }
  const abort = (): void => {
    end(GIVEN_UP)
    pieces.length = 0
    controller?.abort(GIVEN_UP)
  }
  const forget = stop.whenStopped(abort)
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (given) => {
      controller = given
      if (state !== 'open') given.abort(GIVEN_UP)
    },
    onResponseStart: (_controller, status, headers) => {
      // Those below announce another one.
      if (status >= 200) headWaiter?.resolve({ status, headers })
    },
    onResponseData: (given, piece) => {
      if (reader !== undefined) {
        reader.resolve(piece)
        reader = undefined
        return
      }
      pieces.push(piece)
      ahead += piece.length
      if (ahead >= GATEWAY_LIMITS.aheadBytesMax) given.pause()
    },
    onResponseEnd: () => end(),
    onResponseError: (_controller, error) => end(error),
  }
  const take = (): Uint8Array | undefined => {
    const piece = pieces.shift()
    ahead -= piece?.length ?? 0
    if (piece !== undefined && controller?.paused === true && ahead < GATEWAY_LIMITS.aheadBytesMax) controller.resume()
    return piece
  }
  const wait = (): Promise<Uint8Array | null> =>
    new Promise((resolve, reject) => {
      const cancel = expireAfter(idleMsMax, () => {
        reader = undefined
        reject(new UpstreamTrouble({ kind: 'timeout' }))
        abort()
      })
      reader = {
        resolve: (piece) => {
          cancel()
          resolve(piece)
        },
        reject: (error) => {
          cancel()
          reject(error)
        },
      }
    })
  return {
    handler,
    head,
    next: async () => {
      const piece = take()
      if (piece !== undefined) return piece
      if (state === 'open') return wait()
      if (state === 'ended') return null
      throw new UpstreamTrouble({ kind: stop.why() ?? 'cut' })
    },
    abort,
  }
}
