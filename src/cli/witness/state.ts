import { open, readdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Checkpoint } from '../../core/tlog/index.js'
import { flush, isMakingName, replaceFile } from '../../platform/durable.js'
import { InUse } from '../in-use.js'
import { CLI_LIMITS } from '../limits.js'
import { NotConfigured } from '../not-configured.js'
import { formatState, type Heads, parseState } from './state-text.js'

const MODE = 0o600

export type WitnessState = {
  /** The largest tree of a log that was kept; undefined for a log that is new. */
  head(origin: string): Promise<Checkpoint | undefined>
  /** Keeps a larger one. Resolves once it is certain to outlive a power cut; if it rejects, nothing may be cosigned. */
  keep(checkpoint: Checkpoint): Promise<void>
}

type Kept = { readonly text: string; readonly heads: Heads }

export async function makeState(path: string): Promise<void> {
  await replaceFile(path, formatState(new Map()), MODE)
}

/** The state in a file that this process holds alone. Calls must not overlap. */
export function createWitnessState(path: string): WitnessState {
  let kept: Kept | undefined
  const current = async (): Promise<Kept> => {
    kept ??= await readKept(path)
    return kept
  }
  return {
    head: async (origin) => (await current()).heads.get(origin),
    keep: async (checkpoint) => {
      const before = await current()
      const heads = new Map(before.heads).set(checkpoint.origin, checkpoint)
      const next = { text: formatState(heads), heads }
      // What a failure leaves is unknown: the file is read anew before the next answer.
      kept = undefined
      if ((await readFile(path, 'utf8')) !== before.text) {
        throw new InUse(`${path} was changed by another process. A witness needs a state that it alone writes.`)
      }
      // Crash here, or anywhere in the next line: the old head or the new one, and no cosignature for either was sent.
      await replaceFile(path, next.text, MODE)
      // Crash here: the head is kept and not cosigned; the log hears of the size by its next submission (409).
      kept = next
    },
  }
}

/** Reads the state and makes it certain: a crash may have come between the new name and its flush. */
async function readKept(path: string): Promise<Kept> {
  const text = await readBounded(path)
  const heads = parseState(text)
  if (heads === null) {
    throw new NotConfigured(
      `${path} is no state of a witness. Bring it back from a backup; it must not be older than it was.`,
    )
  }
  await flush(path)
  await flush(dirname(resolve(path)))
  return { text, heads }
}

async function readBounded(path: string): Promise<string> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    if (size > CLI_LIMITS.witnessStateBytesMax) throw new NotConfigured(`${path} is too large for a witness's state.`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** Removes what crashes left beside the file. */
export async function tidyUp(path: string): Promise<void> {
  const folder = dirname(resolve(path))
  const left = (await readdir(folder)).filter((name) => name.startsWith(`${basename(path)}.`) && isMakingName(name))
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })))
}
