import { createHash, timingSafeEqual } from 'node:crypto'
import { type Access, NO_PROJECT, type Principal } from '../access/principal.js'
import { AppError } from '../platform/errors.js'
import type { RateLimit } from '../platform/rate-limit.js'
import { networkOf } from './address.js'
import { weighPassed } from './body/body-budget.js'
import { createBodyLimits } from './body/read-bytes.js'
import type { Guards } from './endpoint.js'
import { createDirectWay, type DirectWay } from './listen/direct-way.js'
import { type AdmitKnown, createWarmLane, type WarmLane } from './listen/warm-lane.js'
import { presentedKey, type ReadHeader } from './presented-key.js'
import { createServiceReadTurns, type ServiceTurns } from './read-turns.js'

export type GuardDeps = {
  /** Who presents this key. Throws `key-unknown`. */
  readonly authenticate: (key: string, purpose: 'read' | 'write') => Principal | Promise<Principal>
  /** The same from memory alone: a refusal is returned; undefined where something has to be waited for. */
  readonly recall: (key: string, purpose: 'read' | 'write') => Principal | AppError | undefined
  /** Gives a key that is new here its project. */
  readonly provision: (principal: Principal) => Promise<Principal>
  readonly adminKey: string | undefined
  readonly perKey: RateLimit | undefined
  readonly perAddress: RateLimit | undefined
  readonly bodyBytesMax: number
  /** The largest body that is passed on; as above if absent. */
  readonly passedBytesMax?: number | undefined
}

export type ServiceGuards = Guards & {
  readonly reads: ServiceTurns
  readonly lane: WarmLane
  readonly direct: DirectWay
  /** Counts a request that no route takes by its address, as every other one. Throws `too-many-requests`. */
  readonly admitUnmatched: ((address: string) => Promise<void>) | undefined
}

const ANONYMOUS: Principal = { projectId: NO_PROJECT, role: 'read', keyId: null, newKey: null }

/** Decides who may pass. Stays synchronous if the key is known and nothing is counted. */
export function createGuards(deps: GuardDeps): ServiceGuards {
  const byAccess = (header: ReadHeader, access: Access): Principal | Promise<Principal> => {
    if (access.kind === 'public') return ANONYMOUS
    if (access.kind === 'operator') return admitOperator(header, deps.adminKey)
    const principal = deps.authenticate(presentedKey(header), purposeOf(access))
    if (!(principal instanceof Promise) && deps.perKey === undefined) return checkRole(principal, access)
    return admitCounted(principal, access, deps.perKey)
  }
  const { perAddress } = deps
  const admitKnown: AdmitKnown = (header, access) => recallPrincipal(deps, header, access)
  return {
    body: createBodyLimits(deps.bodyBytesMax),
    passed: createBodyLimits(deps.passedBytesMax ?? deps.bodyBytesMax, weighPassed),
    reads: createServiceReadTurns(),
    lane: createWarmLane(admitKnown),
    direct: createDirectWay(admitKnown),
    provision: deps.provision,
    admitUnmatched: perAddress && ((address) => perAddress(networkOf(address))),
    admit: (header, access, address) => {
      if (perAddress === undefined || isProbe(access)) return byAccess(header, access)
      return perAddress(networkOf(address)).then(() => byAccess(header, access))
    },
  }
}

const isProbe = (access: Access): boolean => access.kind === 'public' && access.isProbe === true

/** What may make a project writes, and so do the routes of every role that may. */
const purposeOf = (access: Access) => (access.kind === 'project' && !access.creates ? 'read' : 'write')

/** If requests are counted, the ordinary way counts them. */
function recallPrincipal(deps: GuardDeps, ...[header, access]: Parameters<AdmitKnown>): ReturnType<AdmitKnown> {
  if (deps.perAddress !== undefined && !isProbe(access)) return undefined
  if (access.kind === 'public') return ANONYMOUS
  if (access.kind === 'operator' || deps.perKey !== undefined) return undefined
  try {
    const known = deps.recall(presentedKey(header), purposeOf(access))
    return known === undefined || known instanceof AppError ? known : checkRole(known, access)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

async function admitCounted(
  pending: Principal | Promise<Principal>,
  access: Access,
  perKey: RateLimit | undefined,
): Promise<Principal> {
  const principal = checkRole(await pending, access)
  await perKey?.(principal.keyId ?? principal.newKey?.hash ?? '')
  return principal
}

function checkRole(principal: Principal, access: Access): Principal {
  if (access.kind === 'project' && !access.roles.includes(principal.role)) {
    throw new AppError('role-not-allowed', `A key with the role '${principal.role}' may not do this.`)
  }
  return principal
}

function admitOperator(header: ReadHeader, adminKey: string | undefined): Principal {
  if (adminKey === undefined) throw new AppError('not-found', 'There is nothing at this address.')
  const digest = (text: string) => createHash('sha256').update(text).digest()
  if (timingSafeEqual(digest(presentedKey(header, 'admin')), digest(adminKey))) return ANONYMOUS
  throw new AppError('key-unknown', 'This is not the admin key.')
}
