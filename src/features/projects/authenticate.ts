import { LRUCache } from 'lru-cache'
import { NO_PROJECT, type Principal } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { TRUST_LIMITS } from '../../platform/limits.js'
import type { Reach } from '../../platform/reach.js'
import { isMadeHere, type KeyHashing } from './key-text.js'
import { PROJECT_LIMITS } from './limits.js'
import type { FoundKey } from './store.js'

export type AuthenticateDeps = {
  readonly findKey: (hashes: readonly string[]) => Promise<FoundKey | undefined>
  readonly hashing: KeyHashing
  readonly mode: 'open' | 'closed'
  /** The operator's: it never becomes a project's by a mistake. */
  readonly adminKey: string | undefined
  /** How old our knowledge of other instances' changes may be, in milliseconds. */
  readonly ageMs: () => number
  readonly reach: Reach
  /** How long a key that was known stays known while the database is away, in milliseconds. */
  readonly staleMsMax: number
  readonly clock: Clock
}

/** What a request wants. One that only reads passes with a key that cannot be checked while the database is away. */
type Purpose = 'read' | 'write'

export type Authenticator = {
  /**
   * Who presents this key: from memory where it is fresh, else by one SELECT. Throws `key-unknown`, and
   * `role-not-allowed` for the admin key.
   */
  authenticate(key: string, purpose: Purpose): Principal | Promise<Principal>
  /** The same from memory alone: a refusal is returned; undefined where the database would be asked. */
  recall(key: string, purpose: Purpose): Principal | AppError | undefined
  /** Forgets one key (by its hash), or all of them. */
  forget(hash?: string): void
  /** Messages may have been missed: every key is asked for again, while the database answers. */
  suspectAll(): void
}

/** The principal, or why the key is refused. */
type Judgement = Principal | keyof typeof REFUSALS
type Verdict = {
  readonly judgement: Judgement
  readonly hashes: readonly string[]
  readonly loadedAt: number
  /** Until when it is known to have held, once messages may have been missed. */
  heldUntil: number | undefined
}

export function createAuthenticator(deps: AuthenticateDeps): Authenticator {
  const { known, unknown, ...memory } = createKeyMemory(deps)
  const loading = new Map<string, Promise<Principal>>()
  let epoch = 0

  const load = async (key: string): Promise<Principal> => {
    const begun = epoch
    const loadedAt = deps.clock()
    const hashes = deps.hashing.candidates(key)
    const found = await deps.reach.ask(() => deps.findKey(hashes), known.has(key))
    const judgement = judge(deps, found, key)
    // Something was forgotten meanwhile: this may be the very row that changed, so it answers once and is not kept.
    const isUnknown = found === undefined || found.revoked
    if (epoch === begun) memory.keep(key, { judgement, hashes, loadedAt, heldUntil: undefined }, isUnknown)
    if (typeof judgement === 'string') throw refusal(judgement)
    return judgement
  }

  const recall = (key: string, purpose: Purpose): Principal | AppError | undefined => {
    const verdict = known.get(key) ?? unknown.get(key)
    if (verdict !== undefined && isFresh(deps, verdict)) return said(verdict)
    return purpose === 'read' ? lastKnown(deps, known.get(key)) : undefined
  }

  /** What is being loaded is given to those who wait for it, and kept by nothing. */
  const endLoads = () => {
    epoch += 1
    loading.clear()
  }

  return {
    recall,
    authenticate: (key, purpose) => {
      const remembered = recall(key, purpose)
      if (remembered instanceof AppError) throw remembered
      if (remembered !== undefined) return remembered
      const fresh = once(loading, key, () => load(key))
      if (purpose === 'write') return fresh
      return fresh.catch((error: unknown) => lastKnown(deps, known.get(key)) ?? Promise.reject(error))
    },
    forget: (hash) => {
      endLoads()
      memory.forget(hash)
    },
    suspectAll: () => {
      endLoads()
      memory.suspectAll()
    },
  }
}

/** The work that is under way for this key, or a new one. */
function once(underWay: Map<string, Promise<Principal>>, key: string, begin: () => Promise<Principal>) {
  const pending = underWay.get(key)
  if (pending !== undefined) return pending
  const fresh = begin().finally(() => {
    if (underWay.get(key) === fresh) underWay.delete(key)
  })
  underWay.set(key, fresh)
  return fresh
}

function createKeyMemory(deps: AuthenticateDeps) {
  const known = new LRUCache<string, Verdict>({ max: PROJECT_LIMITS.knownKeysMax })
  // Apart, so that a flood of invented keys does not push out the real ones.
  const unknown = new LRUCache<string, Verdict>({ max: PROJECT_LIMITS.unknownKeysMax })
  return {
    known,
    unknown,
    keep: (key: string, verdict: Verdict, isUnknown: boolean): void => {
      ;(isUnknown ? known : unknown).delete(key)
      ;(isUnknown ? unknown : known).set(key, verdict)
    },
    forget: (hash: string | undefined): void => {
      for (const cache of [known, unknown]) forgetIn(cache, hash)
    },
    suspectAll: (): void => {
      unknown.clear()
      for (const verdict of known.values()) verdict.heldUntil ??= heldUntil(deps, verdict)
    },
  }
}

const said = ({ judgement }: Verdict): Principal | AppError =>
  typeof judgement === 'string' ? refusal(judgement) : judgement

const isFresh = (deps: AuthenticateDeps, { heldUntil, loadedAt }: Verdict): boolean =>
  heldUntil === undefined &&
  (deps.ageMs() < TRUST_LIMITS.keysTrustedMs || deps.clock() - loadedAt < TRUST_LIMITS.keysTrustedMs)

const heldUntil = ({ clock, ageMs }: AuthenticateDeps, verdict: Verdict): number =>
  verdict.heldUntil ?? Math.max(verdict.loadedAt, clock() - ageMs())

/** Who presented the key when it was last known to hold, if that is not too long ago; undefined if it can be asked. */
function lastKnown(deps: AuthenticateDeps, verdict: Verdict | undefined): Principal | undefined {
  if (verdict === undefined || typeof verdict.judgement === 'string' || !deps.reach.isAway()) return undefined
  return deps.clock() - heldUntil(deps, verdict) < deps.staleMsMax ? verdict.judgement : undefined
}

function forgetIn(cache: LRUCache<string, Verdict>, hash: string | undefined): void {
  if (hash === undefined) cache.clear()
  else for (const [key, verdict] of cache.entries()) if (verdict.hashes.includes(hash)) cache.delete(key)
}

function judge(deps: AuthenticateDeps, found: FoundKey | undefined, key: string): Judgement {
  if (found !== undefined) {
    return found.revoked
      ? 'unknown'
      : { projectId: found.projectId, role: found.role, keyId: found.keyId, newKey: null }
  }
  const hash = deps.hashing.hash(key)
  if (deps.adminKey !== undefined && hash === deps.hashing.hash(deps.adminKey)) return 'admin'
  if (deps.mode === 'closed') return 'unknown'
  // With a character wrong, or of another installation: the caller means a project that there is.
  if (isMadeHere(key)) return 'mistyped'
  return { projectId: NO_PROJECT, role: 'write', keyId: null, newKey: { hash } }
}

const REFUSALS = {
  unknown: { code: 'key-unknown', detail: 'The key is unknown or was revoked.' },
  mistyped: {
    code: 'key-unknown',
    detail: 'The key looks like one that this service made, and is not known here. Is it complete?',
  },
  admin: {
    code: 'role-not-allowed',
    detail: 'This is the admin key, which belongs to no project. Send the key of a project.',
  },
} as const

const refusal = (why: keyof typeof REFUSALS) => new AppError(REFUSALS[why].code, REFUSALS[why].detail)
