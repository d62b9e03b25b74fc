import { resolve } from 'node:path'

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
