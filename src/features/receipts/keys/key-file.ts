import { randomBytes } from 'node:crypto'
import { link, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { flush, makingName, replaceFile, writeNew } from '../../../platform/durable.js'
import { makeFolders } from '../../../platform/make-folders.js'
import { KeyConfigurationError } from './signing-keys.js'

const SEED_BYTES = 32
const SEED_TEXT = /^[A-Za-z0-9_-]{43}\n?$/

/**
 * The signing key of an installation that was given none: 32 random bytes, generated once into `path` (base64url, mode
 * 0600), and returned as base64url. Processes that race agree on one key. Throws `KeyConfigurationError` if the file
 * holds something else, or is gone while the database knows a key: a key that signed receipts is never replaced
 * silently.
 */
export async function ensureKeyFile(
  path: string,
  knownKeyId: () => Promise<string | undefined>,
  explainLost: (path: string, lost: string) => string = explainLostReceiptsKey,
): Promise<string> {
  const present = await readKeyFile(path)
  if (present !== undefined) return present
  const lost = await knownKeyId()
  if (lost !== undefined) throw new KeyConfigurationError(explainLost(path, lost))
  await makeFolders(dirname(path), 0o700)
  const making = makingName(path)
  try {
    // Crash here: a file that is never read is left behind; the next start generates another key.
    await writeNew(making, `${randomBytes(SEED_BYTES).toString('base64url')}\n`, 0o600)
    // A link, unlike a rename, fails if the name is taken: the first of several processes wins, whole or not at all.
    await linkUnlessTaken(making, path)
    // Crash here: the key is there; that the name outlives a power cut is certain after the next line, and before that
    // nothing was signed with it.
    await flush(dirname(path))
  } finally {
    await rm(making, { force: true })
  }
  const made = await readKeyFile(path)
  if (made === undefined) throw new KeyConfigurationError(`The key file ${path} disappeared while it was being made.`)
  return made
}

function explainLostReceiptsKey(path: string, lost: string): string {
  return `The receipts key ${lost}, which this database was used with, is not there: ${path} is gone. Bring the file back from a backup, or set LLMRING_RECEIPTS_PRIVATE_KEY_B64. To go on with another key, set LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64=lost and make one: (umask 077; openssl rand -base64 32 | tr '+/' '-_' | tr -d '=' > ${path})`
}

/** The key in the file, undefined where there is none. Throws `KeyConfigurationError` as `ensureKeyFile` does. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const key = text.trimEnd()
  if (SEED_TEXT.test(text) && Buffer.from(key, 'base64url').toString('base64url') === key) return key
  throw new KeyConfigurationError(
    `The key file ${path} does not hold 32 bytes in base64url. Restore it; to start over with a new key, move it away.`,
  )
}

/**
 * Puts a new key into the file, and the one that was there into another: the first start with the new one has it stated
 * by the old one. Throws `KeyConfigurationError` if there is no key to follow.
 */
export async function rotateKeyFile(path: string, previousPath: string): Promise<void> {
  const old = await readKeyFile(path)
  if (old === undefined) throw new KeyConfigurationError(`There is no key in ${path} yet: the first start makes one.`)
  // Crash after this: the previous key is the current one, which says nothing; the next rotation goes on.
  await replaceFile(previousPath, `${old}\n`, 0o600)
  // Crash after this: all is done.
  await replaceFile(path, `${randomBytes(SEED_BYTES).toString('base64url')}\n`, 0o600)
}

async function linkUnlessTaken(from: string, to: string): Promise<void> {
  await link(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}
