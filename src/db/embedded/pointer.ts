import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { flush, makingName, writeNew } from '../../platform/durable.js'
import { codeOf, EmbeddedError, messageOf } from './embedded-error.js'

/**
 * What a data directory says of its database, in the file `database-id`: `<id>`, or `<id> new` until that database
 * exists. A database that the file calls made and that is not found was lost; it is never replaced by an empty one.
 */
export type Pointer = { readonly id: string; readonly made: boolean }

const TEXT = /^([0-9a-f]{32})( new)?\n?$/
const READABLE_BY_ALL = 0o644

export function pointerFileOf(home: string): string {
  return join(home, 'database-id')
}

/** The pointer of a data directory, undefined if it has none. Throws `start-failed` if it holds something else. */
export async function readPointer(home: string): Promise<Pointer | undefined> {
  const file = pointerFileOf(home)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const [, id, fresh] = TEXT.exec(text) ?? []
  if (id !== undefined) return { id, made: fresh === undefined }
  throw new EmbeddedError(
    'start-failed',
    `The file ${file} does not hold the id of a database. Bring it back from a backup.`,
  )
}

/** The pointer of a data directory; one without gets one to a database that is still to be made. */
export async function ensurePointer(home: string, id = randomBytes(16).toString('hex')): Promise<Pointer> {
  // A link, unlike a rename, fails if the name is taken: two that start at once agree on one database.
  await write(home, `${id} new\n`, link)
  return (await readPointer(home)) ?? { id, made: false }
}

/** From here on the database has to be found. */
export async function confirmPointer(home: string, id: string): Promise<void> {
  const pointer = await readPointer(home)
  if (pointer?.id !== id || !pointer.made) await write(home, `${id}\n`, rename)
}

/** Gives up whatever the data directory pointed to. */
export async function dropPointer(home: string): Promise<void> {
  await rm(pointerFileOf(home), { force: true })
}

async function write(home: string, text: string, publish: (from: string, to: string) => Promise<void>): Promise<void> {
  const file = pointerFileOf(home)
  const making = makingName(file)
  try {
    await writeNew(making, text, READABLE_BY_ALL).catch((error: unknown) => {
      throw cannotWrite(home, error)
    })
    await publish(making, file).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
    await flush(dirname(file))
  } finally {
    await rm(making, { force: true })
  }
}

function cannotWrite(home: string, error: unknown): EmbeddedError {
  return new EmbeddedError(
    'start-failed',
    `The data directory ${home} cannot be written to (${codeOf(error) ?? messageOf(error)}). Run llmring-server as the user whose it is, or set LLMRING_DATA_DIR to another folder.`,
    { cause: error },
  )
}
