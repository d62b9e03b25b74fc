import { LRUCache } from 'lru-cache'
import { NO_PROJECT, type Principal } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { TRUST_LIMITS } from '../../platform/limits.js'
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
  readonly clock: Clock
}

export type Authenticator = {
  /**
   * Who presents this key: from memory where it is fresh, else by one SELECT. Throws `key-unknown`, and
   * `role-not-allowed` for the admin key.
   */
  authenticate(key: string): Principal | Promise<Principal>
  /** The same from memory alone: a refusal is returned; undefined where the database would be asked. */
  recall(key: string): Principal | AppError | undefined
  /** Forgets one key (by its hash), or all of them. */
  forget(hash?: string): void
}

/** The principal, or why the key is refused. */
type Judgement = Principal | keyof typeof REFUSALS
type Verdict = { readonly judgement: Judgement; readonly hashes: readonly string[]; readonly loadedAt: number }

export function createAuthenticator(deps: AuthenticateDeps): Authenticator {
  const known = new LRUCache<string, Verdict>({ max: PROJECT_LIMITS.knownKeysMax })
  // Apart, so that a flood of invented keys does not push out the real ones.
  const unknown = new LRUCache<string, Verdict>({ max: PROJECT_LIMITS.unknownKeysMax })
  const loading = new Map<string, Promise<Principal>>()
  let epoch = 0

  const load = async (key: string): Promise<Principal> => {
    const begun = epoch
    const loadedAt = deps.clock()
    const hashes = deps.hashing.candidates(key)
    const found = await deps.findKey(hashes)
    const judgement = judge(deps, found, key)
    // Something was forgotten meanwhile: this may be the very row that changed, so it answers once and is not kept.
    if (epoch === begun) {
      const isUnknown = found === undefined || found.revoked
      ;(isUnknown ? known : unknown).delete(key)
      ;(isUnknown ? unknown : known).set(key, { judgement, hashes, loadedAt })
    }
    if (typeof judgement === 'string') throw refusal(judgement)
    return judgement
  }

  const recall = (key: string): Principal | AppError | undefined => {
    const verdict = known.get(key) ?? unknown.get(key)
    if (verdict === undefined || !isFresh(deps, verdict)) return undefined
    return typeof verdict.judgement === 'string' ? refusal(verdict.judgement) : verdict.judgement
  }

  return {
    recall,
    authenticate: (key) => {
      const remembered = recall(key)
      if (remembered instanceof AppError) throw remembered
      if (remembered !== undefined) return remembered
      const pending = loading.get(key)
      if (pending !== undefined) return pending
      const fresh = load(key).finally(() => {
        if (loading.get(key) === fresh) loading.delete(key)
      })
      loading.set(key, fresh)
      return fresh
    },
    forget: (hash) => {
      epoch += 1
      loading.clear()
      for (const cache of [known, unknown]) forgetIn(cache, hash)
    },
  }
}

const isFresh = (deps: AuthenticateDeps, verdict: Verdict): boolean =>
  deps.ageMs() < TRUST_LIMITS.keysTrustedMs || deps.clock() - verdict.loadedAt < TRUST_LIMITS.keysTrustedMs

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
