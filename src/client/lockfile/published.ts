import type { LockfileFormat } from '../../core/lockfile/index.js'
import type { Api } from '../api.js'
import type { AliasDiff } from './diff-lockfiles.js'

/** What a change came to, or would come to. */
export type Applied = {
  readonly revision: number
  readonly changed: boolean
  readonly dry_run: boolean
  readonly diff: AliasDiff
}

export type Published = Applied & {
  readonly digest: string
  /** The file to keep, in the format that was sent: with its times, if it had none. */
  readonly lockfile: string
  readonly warnings?: readonly string[]
}

export type ChangeOptions = {
  readonly note?: string | undefined
  readonly dryRun?: boolean | undefined
  readonly expectedRevision?: number | undefined
}

export type PushOptions = ChangeOptions & {
  readonly text: string
  readonly format: LockfileFormat
  readonly profile?: string | undefined
}

export type PullOptions = {
  readonly format: LockfileFormat
  readonly profile?: string | undefined
  /** One that was published before, instead of the one that holds now. */
  readonly digest?: string | undefined
  /** The entity tag of what is known already. */
  readonly etag?: string | undefined
  readonly signal?: AbortSignal
}

export type Pulled = { readonly text: string; readonly digest: string; readonly etag: string | undefined }

export type DriftReport = {
  readonly profile: string
  readonly drifted: boolean
  readonly drift: readonly {
    readonly model: string
    readonly kind: string
    readonly resolved: string | null
    readonly changes: readonly { field: string; pinned: string | number | null; current: string | number | null }[]
    readonly aliases: readonly string[]
    readonly alias_count: number
  }[]
  readonly warnings: readonly string[]
}

const PATH = '/api/v1/lockfile'
const TYPES = { toml: 'application/toml', json: 'application/json' } as const
const noteHeader = (note: string | undefined) => ({ 'X-Change-Note': note })

/** Publishes a lockfile, all of it or one profile. Throws `server-refused`, with 412 if the server is not where it was. */
export function pushLockfile(api: Api, options: PushOptions): Promise<Published> {
  const { text, format, profile, note, dryRun, expectedRevision } = options
  return api.json('PUT', PATH, {
    query: { profile, expected_revision: expectedRevision, dry_run: dryRun === true ? true : undefined },
    headers: { 'Content-Type': TYPES[format], ...noteHeader(note) },
    body: text,
  })
}

/** The lockfile that holds now, or one that held; undefined if it is the one that is known. */
export async function pullLockfile(api: Api, options: PullOptions): Promise<Pulled | undefined> {
  const { format, profile, digest, etag, signal } = options
  const { text, response } = await api.text('GET', digest === undefined ? PATH : `${PATH}/${digest}`, {
    query: { profile },
    headers: { Accept: TYPES[format], 'If-None-Match': etag },
    ...{ expect: [304], signal },
  })
  if (response.status === 304) return undefined
  const header = (name: string) => response.headers.get(name) ?? undefined
  return { text, digest: header('x-lock-digest') ?? '', etag: header('etag') }
}

export const findDrift = (api: Api, profile: string): Promise<DriftReport> =>
  api.json('GET', '/api/v1/drift', { query: { profile } })

/** The profiles in which something is bound. */
export async function listProfiles(api: Api): Promise<readonly string[]> {
  const { profiles } = await api.json<{ profiles: readonly { name: string }[] }>('GET', '/api/v1/profiles')
  return profiles.map(({ name }) => name)
}

/** Makes a profile mean what another one does, or the named aliases only. */
export const promoteProfile = (
  api: Api,
  {
    from,
    to,
    aliases,
    ...options
  }: ChangeOptions & { from: string; to: string; aliases?: readonly string[] | undefined },
): Promise<Applied> =>
  api.json('POST', `/api/v1/profiles/${encodeURIComponent(from)}/promote`, {
    body: { to, aliases, ...membersOf(options) },
    headers: noteHeader(options.note),
  })

/** Binds everything as it was at a revision, all profiles or one. */
export const rollBack = (
  api: Api,
  { toRevision, profile, ...options }: ChangeOptions & { toRevision: number; profile?: string | undefined },
): Promise<Applied> =>
  api.json('POST', '/api/v1/rollback', {
    body: { to_revision: toRevision, profile, ...membersOf(options) },
    headers: noteHeader(options.note),
  })

const membersOf = ({ dryRun, expectedRevision }: ChangeOptions) => ({
  dry_run: dryRun === true,
  expected_revision: expectedRevision,
})

/** By provider, the versions of the registry that the server has now. Throws if it has none. */
export async function registryVersions(api: Api): Promise<Readonly<Record<string, number>>> {
  const { version } = await api.json<{ version: string }>('GET', '/registry')
  const parts = version.split('+').map((part) => /^([^@+]+)@(\d{1,9})$/.exec(part))
  return Object.fromEntries(
    parts.filter((part) => part !== null).map(([, name = '', number]) => [name, Number(number)]),
  )
}
