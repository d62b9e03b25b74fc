import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { WEBHOOK_LIMITS } from './limits.js'
import { isPublicAddress } from './public-address.js'

export type Address = { readonly address: string; readonly family: number }
/** Every address of a name; none if it has none. Rejects if that cannot be found out now. */
export type LookUp = (name: string) => Promise<readonly Address[]>
type Resolved =
  | { readonly ok: true; readonly addresses: readonly Address[] }
  | { readonly ok: false; readonly reason: string }
/** The addresses that a host may be connected to. Never rejects. */
export type ResolveHost = (host: string) => Promise<Resolved>

export const NOT_PUBLIC = 'its address is not public'

/**
 * Looks hosts up, and refuses one of whose addresses any is not public (unless `privateAllowed`). Who connects must use
 * these addresses: another look-up may find others.
 */
export function createResolveHost(privateAllowed: boolean, lookUp: LookUp = lookUpFor(privateAllowed)): ResolveHost {
  return async (host) => {
    const name = host.replace(/^\[(.*)\]$/, '$1')
    try {
      const family = isIP(name)
      const addresses = family === 0 ? await lookUp(name) : [{ address: name, family }]
      if (addresses.length === 0) return { ok: false, reason: 'its name has no address' }
      const isFit = privateAllowed || addresses.every(({ address }) => isPublicAddress(address))
      return isFit ? { ok: true, addresses } : { ok: false, reason: NOT_PUBLIC }
    } catch {
      return { ok: false, reason: 'its name could not be looked up' }
    }
  }
}

/**
 * Names that callers choose are asked of the name servers directly: the system's own way takes one of four threads of
 * the whole process for as long as a name server likes. Private names may stand in files that only the system reads.
 */
function lookUpFor(privateAllowed: boolean): LookUp {
  return privateAllowed ? lookUpByTheSystem : lookUpByNameServers
}

async function lookUpByTheSystem(name: string): Promise<readonly Address[]> {
  try {
    return await lookup(name, { all: true })
  } catch (error) {
    return noneOr(error)
  }
}

async function lookUpByNameServers(name: string): Promise<readonly Address[]> {
  const { lookUpMsMax: timeout, lookUpAttemptsMax: tries } = WEBHOOK_LIMITS
  const resolver = new Resolver({ timeout, tries })
  const [ipv4, ipv6] = await Promise.all([resolver.resolve4(name).catch(noneOr), resolver.resolve6(name).catch(noneOr)])
  return [...ipv4.map((address) => ({ address, family: 4 })), ...ipv6.map((address) => ({ address, family: 6 }))]
}

function noneOr(error: unknown): [] {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOTFOUND' || code === 'ENODATA') return []
  throw error
}
