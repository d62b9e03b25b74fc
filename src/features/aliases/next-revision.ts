import { differentProfiles, headerText, newHeader, parseHeader } from '../../core/lockfile/index.js'
import { AppError } from '../../platform/errors.js'
import type { Head } from './head.js'
import { ALIAS_LIMITS } from './limits.js'
import { changeProfiles, type LockChange, type LockDocument } from './lock-document.js'

/** The lockfile of the new revision. A project's first one begins with the revision. */
export function nextDocument(
  known: LockDocument,
  change: LockChange,
  { epoch, revision }: Head,
  { header, updatedAt }: { readonly header: string | undefined; readonly updatedAt: string },
): LockDocument {
  const text = header ?? known.header?.text ?? headerText(newHeader(updatedAt))
  const isKept = text === known.header?.text
  const profiles = changeProfiles(known.profiles, change)
  return { epoch, revision, updatedAt, profiles, header: isKept ? known.header : { text, revision } }
}

/** The profiles that a change is about: those of its bindings, and those of which the lockfile says something else. */
export function touched({ bindings, removed }: LockChange, before: LockDocument, after: LockDocument): string[] {
  const changed = [...bindings, ...removed].map(({ profile }) => profile)
  const isOther = before.header !== undefined && after.header !== undefined && before.header !== after.header
  const named = isOther ? differentProfiles(parseHeader(before.header.text), parseHeader(after.header.text)) : []
  return [...new Set([...changed, ...named])].sort()
}

/** A notification has a limit: of too many profiles none is named, which means all. */
export function nameable(profiles: readonly string[]): readonly string[] | undefined {
  return Buffer.byteLength(JSON.stringify(profiles)) <= ALIAS_LIMITS.announcedProfilesBytesMax ? profiles : undefined
}

/** A write that makes the project smaller passes, wherever the project is. */
export function refuseExcess(before: Head, after: Head): void {
  const { aliasesPerProjectMax, metadataBytesPerProjectMax, namesBytesPerProjectMax } = ALIAS_LIMITS
  if (after.aliasCount > Math.max(before.aliasCount, aliasesPerProjectMax)) {
    throw new AppError('conflict', `A project has at most ${aliasesPerProjectMax} aliases; nothing was written.`)
  }
  const refuse = (what: string, bytesMax: number): never => {
    const detail = `The ${what} of a project's aliases have at most ${bytesMax} bytes together; nothing was written.`
    throw new AppError('project-full', detail)
  }
  if (after.metadataBytes > Math.max(before.metadataBytes, metadataBytesPerProjectMax)) {
    refuse('metadata and constraints', metadataBytesPerProjectMax)
  }
  if (after.namesBytes > Math.max(before.namesBytes, namesBytesPerProjectMax)) {
    refuse('profiles, names and models', namesBytesPerProjectMax)
  }
}
