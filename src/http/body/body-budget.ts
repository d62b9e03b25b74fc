import { networkOf } from '../address.js'
import { HTTP_LIMITS } from '../limits.js'

/** The bytes of bodies that are held at once: while they arrive, and until their handlers are done. */
export type BodyBudget = {
  /** An account for the body of one request, from this address. */
  open(isPublic: boolean, address: string): BodyAccount
  /** The bytes that all open accounts hold. */
  readonly held: () => number
}

export type BodyAccount = {
  /** Sets what the body holds; says no, and changes nothing, where that is more than is left. */
  hold(bytes: number): boolean
  /** Gives everything back. A closed account holds nothing any more. */
  close(): void
}

export type BodyBudgetLimits = {
  readonly bytesMax: number
  /** Of these, what the bodies of one caller may hold. */
  readonly callerShare: number
  /** Of these, what bodies on routes that ask for no key may hold, and one caller of those its share of that. */
  readonly publicShare: number
  /** What a body of so many bytes counts; as many, if absent. */
  readonly weigh?: Weigh
}

export type Weigh = (bytes: number) => number

/** A large body that is passed on is in memory twice while it is answered: as it was read, and as it went out. */
export const weighPassed: Weigh = (bytes) => (bytes > HTTP_LIMITS.passedStepBytes ? 2 * bytes : bytes)

/** The service's budget, which has room for four of the largest bodies at least, or for as many as weigh so much. */
export function createServiceBudget(bodyBytesMax: number, weigh?: Weigh): BodyBudget {
  return createBodyBudget({
    ...(weigh === undefined ? {} : { weigh }),
    bytesMax: Math.max(HTTP_LIMITS.bodyBytesInFlightMax, 4 * bodyBytesMax),
    callerShare: HTTP_LIMITS.bodyCallerShareMax,
    publicShare: HTTP_LIMITS.bodyPublicShareMax,
  })
}

type Pot = { readonly bytesMax: number; held: number }

/**
 * Counts the bytes of bodies against three limits: of all callers, of one caller, and of the routes that ask for
 * no key. So neither one caller nor all callers without a key can take what the others need.
 */
export function createBodyBudget(limits: BodyBudgetLimits): BodyBudget {
  const all: Pot = { bytesMax: limits.bytesMax, held: 0 }
  const open: Pot = { bytesMax: limits.bytesMax * limits.publicShare, held: 0 }
  const callers = new Map<string, Pot>()
  const weigh = limits.weigh ?? ((bytes) => bytes)

  const potOf = (name: string, bytesMax: number): Pot => {
    const pot = callers.get(name) ?? { bytesMax, held: 0 }
    callers.set(name, pot)
    return pot
  }

  return {
    held: () => all.held,
    open: (isPublic, address) => {
      const caller = networkOf(address)
      const name = isPublic ? `public ${caller}` : caller
      const shared = isPublic ? [all, open] : [all]
      let held = 0
      let closed = false
      const change = (bytes: number): boolean => {
        const more = bytes - held
        const mine = potOf(name, (isPublic ? open : all).bytesMax * limits.callerShare)
        const pots = [...shared, mine]
        const fits = more <= 0 || pots.every((pot) => pot.held + more <= pot.bytesMax)
        if (fits) {
          for (const pot of pots) pot.held += more
          held = bytes
        }
        if (mine.held === 0) callers.delete(name)
        return fits
      }
      return {
        hold: (bytes) => !closed && change(weigh(bytes)),
        close: () => {
          if (!closed) change(0)
          closed = true
        },
      }
    },
  }
}
