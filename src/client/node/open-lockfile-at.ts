import type { AliasClient } from '../alias-client.js'
import { type LockfileOptions, openLockfile } from '../lockfile/open-lockfile.js'
import { lockfilePath } from './find-lockfile.js'
import { lockfileFile } from './lockfile-file.js'

export type LockfileAtOptions = LockfileOptions & {
  /** Where it is. Default: `LLMRING_LOCKFILE_PATH` of the environment, then `llmring.lock` in the working directory. */
  readonly path?: string | undefined
  /** Give `process.env`, for LLMRING_LOCKFILE_PATH and LLMRING_PROFILE to count. Default: they do not. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Aliases of a lockfile on disk. It is never made but by `initLockfile`, and read again when it has changed. */
export function openLockfileAt({ path, env = {}, ...options }: LockfileAtOptions = {}): AliasClient {
  const found = lockfilePath({ path, environmentPath: env['LLMRING_LOCKFILE_PATH'] || undefined })
  return openLockfile(lockfileFile(found), {
    ...options,
    profile: options.profile ?? (env['LLMRING_PROFILE'] || undefined),
  })
}
