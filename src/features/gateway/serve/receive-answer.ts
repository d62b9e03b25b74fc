import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { expireAfter } from '../../../platform/deadline.js'
import type { Stop } from '../../../platform/stop.js'
import { GATEWAY_LIMITS } from '../limits.js'
import { Pieces } from './pieces.js'
import { UpstreamTrouble } from './trouble.js'

export type AnswerHead = { readonly status: number; readonly headers: IncomingHttpHeaders }

type Waiter<T> = { resolve(value: T): void; reject(error: Error): void }

const GIVEN_UP = new Error('The answer of an upstream is not waited for any more.')

/** Why a call ends before its answer does: its time is over, or its caller left. */
export type EndedBy = 'out-of-time' | 'cancelled'

/**
 * What an upstream sends, as it comes: taken below undici's streams, signals and iterators, which cost as much as the
 * exchange itself. `dispatch` calls it. A body that is not read is not taken from the connection, but for
 * `aheadBytesMax` of it.
 */
export class Receiving implements Dispatcher.DispatchHandler {
  /** Rejects if there comes none. */
  readonly head: Promise<AnswerHead>
  readonly #idleMsMax: number
  readonly #stop: Stop<EndedBy>
  readonly #forget: () => void
  readonly #pieces = new Pieces()
  #aheadBytes = 0
  #state: 'open' | 'ended' | 'broken' = 'open'
  #controller: Dispatcher.DispatchController | undefined
  #headWaiter: Waiter<AnswerHead> | undefined
  #reader: Waiter<Uint8Array | null> | undefined

  /** `stop` has not been told yet; `idleMsMax` is how long the next piece is waited for. */
  constructor(idleMsMax: number, stop: Stop<EndedBy>) {
    this.#idleMsMax = idleMsMax
    this.#stop = stop
    this.head = new Promise((resolve, reject) => {
      this.#headWaiter = { resolve, reject }
    })
    this.#forget = stop.whenStopped(() => this.abort())
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#state !== 'open') controller.abort(GIVEN_UP)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Those below announce another one.
    if (status >= 200) this.#headWaiter?.resolve({ status, headers })
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Uint8Array): void {
    const reader = this.#reader
    if (reader !== undefined) {
      this.#reader = undefined
      reader.resolve(piece)
      return
    }
    this.#pieces.add(piece)
    this.#aheadBytes += piece.length
    if (this.#aheadBytes >= GATEWAY_LIMITS.aheadBytesMax) controller.pause()
  }

  onResponseEnd(): void {
    this.#end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end(error)
  }

  /** The next piece of the body, null at its end. Throws `UpstreamTrouble` for one that breaks off or stands still. */
  async next(): Promise<Uint8Array | null> {
    const piece = this.#take()
    if (piece !== undefined) return piece
    if (this.#state === 'open') return this.#wait()
    if (this.#state === 'ended') return null
    throw this.#broken()
  }

  /** Ends it, if it has not ended; what it does then is not heard. */
  abort(): void {
    this.#end(GIVEN_UP)
    this.#pieces.clear()
    this.#controller?.abort(GIVEN_UP)
  }

  #end(error?: Error): void {
    if (this.#state !== 'open') return
    this.#state = error === undefined ? 'ended' : 'broken'
    if (error !== undefined) this.#headWaiter?.reject(error)
    if (error === undefined) this.#reader?.resolve(null)
    else this.#reader?.reject(this.#broken())
    this.#reader = undefined
    this.#forget()
  }

  #broken(): UpstreamTrouble {
    return new UpstreamTrouble({ kind: this.#stop.why() ?? 'cut' })
  }

  #take(): Uint8Array | undefined {
    const piece = this.#pieces.take()
    this.#aheadBytes -= piece?.length ?? 0
    // Not before: with each resumption all that waits in the connection is copied, and more is read on top of it.
    if (piece !== undefined && this.#pieces.isEmpty() && this.#controller?.paused === true) this.#controller.resume()
    return piece
  }

  #wait(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      const cancel = expireAfter(this.#idleMsMax, () => {
        this.#reader = undefined
        reject(new UpstreamTrouble({ kind: 'timeout' }))
        this.abort()
      })
      this.#reader = {
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
  }
}
