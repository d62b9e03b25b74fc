declare const projectId: unique symbol

/** A project's public id (a UUID). Branded: only authentication and the project store make one. */
export type ProjectId = string & { readonly [projectId]: true }

/** What a key may do: see ROLES_THAT. */
export const ROLES = ['write', 'log', 'read', 'audit', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** The same in words, for people who give keys away. */
export const ROLE_MEANINGS: Readonly<Record<Role, string>> = {
  write: 'everything a client library does: aliases, usage and receipts',
  log: 'only add usage: for programs that shall read nothing',
  read: 'only read: aliases, usage, stats and receipts',
  audit: 'only read receipts',
  admin: 'everything in its own project, its keys among it',
}

/** Who is asking. */
export type Principal = {
  readonly projectId: ProjectId
  readonly role: Role
  readonly keyId: string | null
  /** Set for a key that belongs to no project yet (open mode, before its first write): what to remember of it. */
  readonly newKey: { readonly hash: string } | null
}

/**
 * No project has this id: whoever has none reads from it, and finds nothing, by the same statements as every other
 * caller.
 */
export const NO_PROJECT = '00000000-0000-0000-0000-000000000000' as ProjectId

/** Which roles may do what. `admin` may do everything in its own project. */
const ROLES_THAT = {
  read: ['read', 'write', 'admin'],
  write: ['write', 'admin'],
  appendUsage: ['log', 'write', 'admin'],
  administer: ['admin'],
  readReceipts: ['audit', 'read', 'write', 'admin'],
} as const satisfies Record<string, readonly Role[]>

/**
 * Who may call a route: any caller (`public`), the operator (with the admin key), or a project's keys of these roles.
 * `creates` says that a key unknown so far becomes a project of its own here (open mode), after the request proved
 * valid. `isProbe`: for what watches the service, which may come from the address of its clients; no rate limit counts it.
 */
export type Access =
  | { readonly kind: 'public'; readonly isProbe?: true }
  | { readonly kind: 'operator' }
  | { readonly kind: 'project'; readonly roles: readonly Role[]; readonly creates: boolean }

export const PUBLIC: Access = { kind: 'public' }
export const PROBE: Access = { kind: 'public', isProbe: true }
export const OPERATOR: Access = { kind: 'operator' }
export const READS: Access = { kind: 'project', roles: ROLES_THAT.read, creates: false }
export const WRITES: Access = { kind: 'project', roles: ROLES_THAT.write, creates: true }
/** As `WRITES`, for what changes nothing for a key that has no project yet. */
export const MANAGES: Access = { kind: 'project', roles: ROLES_THAT.write, creates: false }
export const APPENDS_USAGE: Access = { kind: 'project', roles: ROLES_THAT.appendUsage, creates: true }
export const ADMINISTERS: Access = { kind: 'project', roles: ROLES_THAT.administer, creates: false }
export const READS_RECEIPTS: Access = { kind: 'project', roles: ROLES_THAT.readReceipts, creates: false }
