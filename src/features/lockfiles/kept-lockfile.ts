import type { ProjectId } from '../../access/principal.js'
import { lockfileOf } from './held-lockfile.js'
import { LOCKFILES_LIMITS } from './limits.js'
import { digestsOf, type TimedLockfile } from './lock-digest.js'
import type { LockfileNow } from './store.js'

/** `digest`: by the rule of today. */
export type Shown = { readonly lockfile: TimedLockfile; readonly digest: string }
/** The lockfile that holds: null for a project without one, undefined where it is too large to be kept. */
type KeptLockfile = Shown | null | undefined

type Read = {
  readonly epoch: string
  readonly revision: number
  readonly render: () => Promise<{ readonly content: KeptLockfile; readonly characters: number }>
}
type LockfileKind = {
  readonly name: string
  readonly isReadAhead: boolean
  readonly load: (projectId: ProjectId, profile: string | undefined, only?: string) => Promise<Read>
}
export type Known = { readonly content: KeptLockfile; readonly staleSeconds?: number }

/** What this feature needs of whatever remembers aliases: a memory that follows their revisions. */
export type Keep = (kind: LockfileKind) => {
  get(projectId: ProjectId, profile: string | undefined, only: string): Known | Promise<Known>
}

/** The lockfile of a project, or only one profile of it. `only` is given for one that was found too large before. */
export function lockfileKind(
  read: (projectId: ProjectId, profile: string | undefined, bytesMax: number) => Promise<LockfileNow>,
): LockfileKind {
  return {
    name: 'lockfile',
    isReadAhead: true,
    load: async (projectId, profile, only) => {
      const now = await read(projectId, profile, only === undefined ? LOCKFILES_LIMITS.keptBytesMax : 0)
      return { epoch: now.epoch, revision: now.revision, render: async () => render(now, profile) }
    },
  }
}

function render({ lock, bindings }: LockfileNow, profile: string | undefined) {
  if (lock === undefined) return { content: null, characters: 0 }
  if (bindings === undefined) return { content: undefined, characters: 0 }
  const lockfile = onlyProfile(lockfileOf(lock, bindings), profile)
  const digest = digestsOf(lockfile).current
  let characters = lock.header?.length ?? 0
  for (const { profile: key, alias, models, constraints } of bindings) {
    const texts = [key, alias, ...models, constraints ?? '']
    characters += LOCKFILES_LIMITS.bindingBytes + texts.reduce((sum, { length }) => sum + length, 0)
  }
  return { content: { lockfile, digest }, characters }
}

/** A lockfile with one of its profiles (undefined: with all). */
export function onlyProfile(lockfile: TimedLockfile, profile: string | undefined): TimedLockfile {
  if (profile === undefined) return lockfile
  return { ...lockfile, profiles: new Map([...lockfile.profiles].filter(([key]) => key === profile)) }
}
