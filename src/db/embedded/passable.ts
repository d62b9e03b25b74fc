import { chmod, stat } from 'node:fs/promises'
import { makeFolders } from '../../platform/make-folders.js'
import { EmbeddedError, messageOf } from './embedded-error.js'

/**
 * Makes a folder of our own that Postgres's account may pass through, whatever the umask. An existing one is opened
 * for passing only. Throws `start-failed`.
 */
export async function makePassable(dir: string): Promise<void> {
  try {
    const made = await makeFolders(dir)
    const { mode } = await stat(dir)
    if (made || (mode & 0o011) !== 0o011) await chmod(dir, (mode & 0o777) | 0o711)
  } catch (error) {
    throw new EmbeddedError(
      'start-failed',
      `The folder ${dir} cannot be made (${messageOf(error)}), which Postgres's binaries or data need because their user cannot reach where they are. Run llmring-server as a user who can, use another data directory, or set LLMRING_DATABASE_URL.`,
      { cause: error },
    )
  }
}
