import { AppError } from '../../../platform/errors.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** Work that identical requests share. `over` resolves once later ones must no longer join. */
type Shared = { readonly over: Promise<void> }
export type Boarding<T> = {
  readonly result: Promise<T>
  /** Whether the work was begun for this one. */
  readonly leads: boolean
  /** Once for each: the work is ended when the last one has left before its end. */
  readonly leave: () => void
}
type Flight<T> = { result: Promise<T>; riders: number; isOver: boolean; readonly ending: AbortController }

/**
 * One call for requests that are identical while it is under way. A failure goes to those who were waiting for it and to
 * none that come later; the call ends early only if every one has left. Throws `overloaded`.
 */
export function createFlights<T extends Shared>() {
  const flights = new Map<string, Flight<T>>()
  let riders = 0
  const end = (key: string, flight: Flight<T>): void => {
    if (flights.get(key) === flight) flights.delete(key)
  }
  const begin = (key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> => {
    const ending = new AbortController()
    const flight: Flight<T> = { result: work(ending.signal), riders: 0, isOver: false, ending }
    flights.set(key, flight)
    const over = () => {
      flight.isOver = true
      end(key, flight)
    }
    flight.result.then(({ over: done }) => done.then(over, over), over)
    return flight
  }
  return {
    count: () => riders,
    board: (key: string, work: (signal: AbortSignal) => Promise<T>): Boarding<T> => {
      if (riders >= GATEWAY_LIMITS.sharedCallersMax) {
        throw new AppError('overloaded', 'Too many calls wait for others like them.', { retryAfterSeconds: 1 })
      }
      const joined = flights.get(key)
      const flight = joined ?? begin(key, work)
      flight.riders += 1
      riders += 1
      let isAboard = true
      const leave = () => {
        if (!isAboard) return
        isAboard = false
        riders -= 1
        flight.riders -= 1
        if (flight.riders > 0 || flight.isOver) return
        // One who comes from now on would share a call that is being ended.
        end(key, flight)
        flight.ending.abort()
      }
      return { result: flight.result, leads: joined === undefined, leave }
    },
  }
}

export type Flights<T extends Shared> = ReturnType<typeof createFlights<T>>
