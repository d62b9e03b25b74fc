import { type Lockfile, type LockfileFormat, renderLockfile } from '../../core/lockfile/index.js'

type Sent = {
  readonly text: string
  readonly format: LockfileFormat
  readonly lockfile: Lockfile
  readonly isDated: boolean
}
type Times = { readonly createdAt: string; readonly updatedAt: string }

/**
 * The file that its author shall keep: as it was sent, comments included, with the times that it lacks. One that the
 * Python client would not read as it is meant, and JSON without times, is written anew.
 */
export function fileToKeep({ text, format, lockfile, isDated }: Sent, { createdAt, updatedAt }: Times): string {
  const missing = [
    ...(lockfile.createdAt === null ? [`created_at = "${createdAt}"\n`] : []),
    ...(lockfile.updatedAt === null ? [`updated_at = "${updatedAt}"\n`] : []),
  ]
  if (!isDated && (missing.length === 0 || format === 'toml')) return missing.join('') + text
  const timed = { createdAt: lockfile.createdAt ?? createdAt, updatedAt: lockfile.updatedAt ?? updatedAt }
  return renderLockfile({ ...lockfile, ...timed }, format)
}
