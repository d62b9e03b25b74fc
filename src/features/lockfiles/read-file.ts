import { type LockfileFormat, type LockfileResult, parseLockfile } from '../../core/lockfile/index.js'
import { AppError } from '../../platform/errors.js'

type File = { readonly text: string; readonly format: LockfileFormat; readonly profile: string | undefined }

/** Reads a file that is to be published. Throws `validation-failed` with its first problems. */
export function readFile({ text, format, profile }: File): Extract<LockfileResult, { ok: true }> {
  // TOML without a line is TOML and `{}` is JSON, but a file to publish was lost on its way: it would unbind everything.
  const result = parseLockfile(text, format, { unstorableText: 'refuse', missingProfiles: 'refuse' })
  if (!result.ok) {
    const { problems, problemCount } = result
    const more = problemCount > problems.length ? ` The first ${problems.length} of ${problemCount} are shown.` : ''
    throw new AppError('validation-failed', `The lockfile cannot be published.${more}`, { errors: problems })
  }
  if (profile !== undefined && !result.lockfile.profiles.has(profile)) {
    const errors = [{ pointer: '/profiles', message: `has no profile '${profile}'` }]
    throw new AppError('validation-failed', 'The profile that is to be published is not in the file.', { errors })
  }
  return result
}
