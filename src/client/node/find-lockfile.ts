import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { AliasError } from '../alias-error.js'

type FindOptions = {
  readonly path?: string | undefined
  /** Of the environment: LLMRING_LOCKFILE_PATH. */
  readonly environmentPath?: string | undefined
  /** Default: the working directory. */
  readonly directory?: string | undefined
}

const NAME = 'llmring.lock'

/** Where the lockfile is or would be: the path that was given, else that of the environment, else `llmring.lock` here. */
export function lockfilePath({ path, environmentPath, directory = '.' }: FindOptions): string {
  return resolve(directory, path ?? environmentPath ?? NAME)
}

/** The same of a lockfile that is there. Throws `lockfile-missing`, which says whose path led to nothing. */
export function findLockfile(options: FindOptions): string {
  const found = lockfilePath(options)
  if (existsSync(found)) return found
  const by = options.path === undefined && options.environmentPath !== undefined ? ' (LLMRING_LOCKFILE_PATH)' : ''
  const way = '`llmring-server lock init` makes one, `lock pull` fetches one'
  throw new AliasError('lockfile-missing', `There is no lockfile ${found}${by}; ${way}.`)
}
