import type { Tx } from '../../db/transact.js'
import { matchesEtag } from '../../http/etag.js'
import { AppError } from '../../platform/errors.js'
import type { Alias, AliasKey } from './alias.js'
import { aliasEtag } from './etags.js'
import type { Head } from './head.js'
import { renderAlias } from './render.js'
import type { AliasStore } from './store.js'

/** What a caller believes of one alias: the values of `If-Match` and `If-None-Match`, absent if it believes nothing. */
export type Believed = { readonly ifMatch?: string | undefined; readonly ifNoneMatch?: string | undefined }

/** Throws `precondition-failed`, with the alias as it is, if it is not what the caller believes (RFC 9110, 13.1). */
export async function refuseOtherAlias(
  store: Pick<AliasStore, 'findIn'>,
  tx: Tx,
  head: Head,
  key: AliasKey,
  { ifMatch, ifNoneMatch }: Believed,
): Promise<void> {
  if (ifMatch === undefined && ifNoneMatch === undefined) return
  const current = await store.findIn(tx, key)
  if (isBelieved(head, current, ifMatch, ifNoneMatch)) return
  throw new AppError('precondition-failed', describe(key, current), {
    current: current === undefined ? null : renderAlias(current),
    revision: current?.revision ?? head.revision,
  })
}

function isBelieved(
  { epoch }: Head,
  current: Alias | undefined,
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): boolean {
  if (current === undefined) return ifMatch === undefined
  const etag = aliasEtag(epoch, current.revision)
  // If-Match compares strongly: a weak tag never matches.
  if (ifMatch !== undefined && !matchesEtag(ifMatch.replaceAll(/W\/"[^"]*"/g, ''), etag)) return false
  return ifNoneMatch === undefined || !matchesEtag(ifNoneMatch, etag)
}

function describe({ alias, profile }: AliasKey, current: Alias | undefined): string {
  if (current === undefined) return `The alias '${alias}' is not in profile '${profile}'; nothing was written.`
  return `The alias '${alias}' of profile '${profile}' is at revision ${current.revision} now; nothing was written.`
}

/**
 * Throws `precondition-failed` if one of the profiles (none: any) changed after the revision that the caller saw, or if
 * that revision never was.
 */
export async function refuseOtherRevision(
  store: Pick<AliasStore, 'profilesRevision'>,
  tx: Tx,
  head: Head,
  projectId: AliasKey['projectId'],
  expected: { readonly revision: number; readonly profiles: readonly string[] } | undefined,
): Promise<void> {
  if (expected === undefined || expected.revision === head.revision) return
  const { revision, profiles } = expected
  const isAny = revision > head.revision || profiles.length === 0
  const last = isAny ? head.revision : await store.profilesRevision(tx, projectId, profiles)
  if (last <= revision && revision <= head.revision) return
  throw new AppError('precondition-failed', `The last change was revision ${last}; nothing was written.`, {
    revision: head.revision,
  })
}
