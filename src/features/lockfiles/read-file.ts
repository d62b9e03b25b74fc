import { type LockfileFormat, type LockfileResult, parseLockfile } from '../../core/lockfile/index.js'
import { AppError } from '../../platform/errors.js'

type File = { readonly text: string; readonly format: LockfileFormat; readonly profile: string | undefined }

/** Reads a file that is to be published. Throws `validation-failed` with its first problems. */
export function readFile({ text, format, profile }: File): Extract<LockfileResult, { ok: true }> {
  const result = parseLockfile(text, format, { unstorableText: 'refuse' })
  // TOML without a line is TOML, but as a file to publish it is one that was lost on its way: it would unbind everything.
  if (text.trim() === '') throw emptyFile()
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

function emptyFile(): AppError {
  const message = 'The file is empty. To unbind everything, publish one with a version and without profiles.'
  return new AppError('validation-failed', 'The lockfile cannot be published.', { errors: [{ pointer: '', message }] })
}
