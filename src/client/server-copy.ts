import type { Api } from './api.js'
import { type FollowState, follow } from './follow.js'
import { CLIENT_LIMITS, type ClientLimits } from './limits.js'
import { type Change, createMirror, type Mirror } from './mirror.js'
import { pollChanges, pollList, type Reading } from './read-changes.js'

export type CopyOptions = {
  readonly api: Api
  /** Whether to keep what was read current; otherwise it stays as it was read until it is cleared. */
  readonly follows: boolean
  readonly onChange: (profile: string, revision: number) => void
  readonly onState: (profile: string, state: FollowState) => void
  readonly random: () => number
  readonly limits?: ClientLimits
}

/** A profile that is mirrored. `loaded` rejects while it was never read. */
type Copy = { readonly mirror: Mirror; loaded(): Promise<void>; end(): Promise<void> }

export type Copies = {
  /** Of one profile, once it was read. Rejects while it never was. */
  mirrorOf(profile: string): Promise<Mirror>
  /** What this client itself changed. */
  note(change: Change): void
  /** Ends all connections; what was read stays. */
  end(): Promise<void>
  /** The same, and what was read is forgotten. */
  clear(): void
}

/** Copies of a server's profiles, each read with its first use. */
export function createCopies(options: CopyOptions): Copies {
  let copies = new Map<string, Copy>()
  const copyOf = (profile: string): Copy => {
    const known = copies.get(profile)
    if (known !== undefined) return known
    if (copies.size >= CLIENT_LIMITS.profilesMax) {
      throw new Error(`One client follows at most ${CLIENT_LIMITS.profilesMax} profiles.`)
    }
    const copy = openCopy(options, profile)
    copies.set(profile, copy)
    return copy
  }
  const end = async () => {
    await Promise.all([...copies.values()].map((copy) => copy.end()))
  }
  return {
    end,
    mirrorOf: async (profile) => {
      const copy = copyOf(profile)
      await copy.loaded()
      return copy.mirror
    },
    note: (change) => copies.get(change.profile)?.mirror.note(change),
    clear: () => {
      void end()
      copies = new Map()
    },
  }
}

function openCopy(options: CopyOptions, profile: string): Copy {
  const { api, follows, onChange, onState, random } = options
  const ending = new AbortController()
  const mirror = createMirror()
  const reading: Reading = {
    ...{ api, profile, mirror, signal: ending.signal, limits: options.limits ?? CLIENT_LIMITS },
    onDelta: ({ revision, changes, reset }) => {
      if (changes.length > 0 || reset) onChange(profile, revision)
    },
  }
  let loading: Promise<void> | undefined
  let following: Promise<void> | undefined

  const load = async () => {
    if ((await pollChanges(reading, false)) !== 'read') await pollList(reading, undefined)
    if (!follows || ending.signal.aborted) return
    following ??= follow({ ...reading, random, onState: (state) => onState(profile, state) })
  }
  return {
    mirror,
    loaded: () => {
      if (mirror.position() !== undefined || following !== undefined) return Promise.resolve()
      loading ??= load().finally(() => {
        loading = undefined
      })
      return loading
    },
    end: async () => {
      ending.abort()
      await following
    },
  }
}
