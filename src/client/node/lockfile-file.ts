import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { flush, makingName } from '../../platform/durable.js'
import { AliasError } from '../alias-error.js'
import { CLIENT_LIMITS } from '../limits.js'
import type { LockfileStore } from '../lockfile/lockfile-source.js'
import { formatOf } from '../lockfile/lockfile-text.js'

const PERMISSIONS = 0o7777
/** Before the umask: what any program gives a new file. */
const NEW_FILE = 0o666

/** A lockfile on disk. It is replaced as a whole and keeps its permissions; a link stays a link to what is replaced. */
export function lockfileFile(path: string): LockfileStore {
  return {
    where: path,
    format: formatOf(path),
    read: () => readText(path),
    mark: async () => {
      const known = await statOf(path)
      return known === undefined ? undefined : `${known.ino}-${known.size}-${known.mtimeNs}`
    },
    replace: (text, expected) => replaceText(path, text, expected),
  }
}

async function readText(path: string): Promise<string | undefined> {
  const known = await statOf(path)
  if (known === undefined) return undefined
  const invalid = (what: string) => new AliasError('lockfile-invalid', `${path} is not a lockfile: ${what}.`)
  if (!known.isFile()) throw invalid('it is not a file')
  if (known.size > CLIENT_LIMITS.lockfileBytesMax) {
    throw invalid(`it has more than ${CLIENT_LIMITS.lockfileBytesMax} bytes`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path))
  } catch (error) {
    throw error instanceof TypeError ? invalid('it is not UTF-8') : error
  }
}

async function replaceText(path: string, text: string, expected: string | undefined): Promise<boolean> {
  const target = await absentAs(realpath(path), path)
  const before = await statOf(target)
  const making = makingName(target)
  try {
    // Crash from here to the rename: a file under a name that says what it is, and the old one untouched.
    const handle = await open(making, 'wx', before === undefined ? NEW_FILE : 0o600)
    try {
      await handle.writeFile(text)
      if (before !== undefined) {
        const { uid, gid } = await handle.stat({ bigint: true })
        if (uid !== before.uid || gid !== before.gid) {
          // Only root may give a file away; for other users the new file is theirs, as with every editor that replaces files.
          await handle.chown(Number(before.uid), Number(before.gid)).catch(() => undefined)
        }
        await handle.chmod(Number(before.mode) & PERMISSIONS)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    if ((await readText(target)) !== expected) return false
    await rename(making, target)
    // Crash here: a power cut may bring the old text back; after the next line it cannot.
    await flush(dirname(target))
    return true
  } finally {
    await rm(making, { force: true })
  }
}

const statOf = (path: string) => absentAs(stat(path, { bigint: true }), undefined)

/** What a path leads to; `otherwise` if it leads to nothing. */
async function absentAs<T, U>(found: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}
