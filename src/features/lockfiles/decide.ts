import { headerOf, headerText, isoTime, type Lockfile, type StoredHeader } from '../../core/lockfile/index.js'
import { compare, type Difference, type HeldBinding } from './compare.js'
import { headerOf as heldHeaderOf, profilesOf, updatedAtOf } from './held-lockfile.js'
import { digestsOf, type TimedLockfile } from './lock-digest.js'
import type { Head, Plan } from './publish.js'
import type { HeldLock } from './store.js'

type Question = {
  readonly file: Lockfile
  /** The one profile that is to be published, or all. */
  readonly profile: string | undefined
  /** All that is bound, in the order of each profile. */
  readonly held: readonly HeldBinding[]
  readonly lock: HeldLock | undefined
  readonly head: Head
  readonly now: Date
}
export type Decided = {
  readonly plan: Plan
  /** Whether the plan changes anything. */
  readonly changes: boolean
  readonly differences: readonly Difference[]
  /** The project's lockfile once the plan is carried out. */
  readonly result: TimedLockfile
  readonly digest: () => string
}

/** What a file changes. It keeps the times that are known, unless it brings its own. */
export function decide({ file, profile, held, lock, head, now }: Question): Decided {
  const known = lock === undefined ? undefined : heldHeaderOf(lock)
  const header = wantedHeader(file, profile, known, isoTime(now))
  const isDecided = (key: string): boolean => profile === undefined || key === profile
  const profiles = new Map([...file.profiles].filter(([key]) => isDecided(key)))
  const decidedBindings = held.filter((binding) => isDecided(binding.profile))
  const { differences, set, remove } = compare(profiles, decidedBindings, head.lastPlace)

  const text = headerText(header)
  const isSame = known !== undefined && shownText(known, held) === shownText(header, held)
  const isOther = !isSame || set.length > 0 || remove.length > 0
  const since = lock === undefined || isOther ? isoTime(now) : updatedAtOf(lock)
  const updatedAt = (profile === undefined ? file.updatedAt : null) ?? since
  const left = held.filter((binding) => !isDecided(binding.profile))
  const result = { ...header, updatedAt, profiles: new Map([...profilesOf(header, left), ...profiles]) }
  return {
    plan: { set, remove, lock: { header: text, updatedAt } },
    changes: isOther || lock === undefined || updatedAt !== updatedAtOf(lock),
    differences,
    result,
    digest: () => digestsOf(result).current,
  }
}

/** A lockfile shows the profiles that only a binding made like those that its header names: reading one names them all. */
function shownText(header: StoredHeader, held: readonly HeldBinding[]): string {
  return headerText({ ...header, profiles: profilesOf(header, held) })
}

/** Of a file that is published in part, only the part's own registry versions count. */
function wantedHeader(
  file: Lockfile,
  profile: string | undefined,
  known: StoredHeader | undefined,
  now: string,
): StoredHeader {
  const header = headerOf(file, known?.createdAt ?? now)
  const part = profile === undefined ? undefined : header.profiles.get(profile)
  if (profile === undefined || part === undefined || known === undefined) return header
  return { ...known, profiles: new Map([...known.profiles, [profile, part]]) }
}
