export type InFlightLimits = { readonly totalMax: number; readonly perAddressMax: number }

/** The requests that are being served, together and by address. */
export type InFlight = {
  /** Counts a request; says whether it may be served, or is one too many. */
  enter(network: string): boolean
  leave(network: string): void
  readonly count: () => number
  /** The addresses that these are from. */
  readonly addresses: () => number
}

/** One address may have half of what all may have: a client that pipelines thousands of requests stops only itself. */
export function createInFlight({ totalMax, perAddressMax }: InFlightLimits): InFlight {
  const byNetwork = new Map<string, number>()
  let total = 0
  return {
    enter: (network) => {
      const mine = (byNetwork.get(network) ?? 0) + 1
      byNetwork.set(network, mine)
      total += 1
      return total <= totalMax && mine <= perAddressMax
    },
    leave: (network) => {
      const mine = (byNetwork.get(network) ?? 0) - 1
      total -= 1
      if (mine > 0) byNetwork.set(network, mine)
      else byNetwork.delete(network)
    },
    count: () => total,
    addresses: () => byNetwork.size,
  }
}
