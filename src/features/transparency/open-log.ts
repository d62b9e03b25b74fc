import { hashEmptyTree, type NoteKey } from '../../core/tlog/index.js'
import { ConfigurationError } from '../../platform/configuration-error.js'
import { sha256 } from '../../platform/sha256.js'
import type { CheckpointStore } from './checkpoint-store.js'
import { openOwnNote } from './guard/create-guard.js'
import type { createHeadStore } from './head-store.js'

export type OpenDeps = {
  readonly heads: ReturnType<typeof createHeadStore>
  readonly checkpoints: Pick<CheckpointStore, 'newest'>
  readonly logKey: NoteKey
}

/** Begins the log, or finds it. Throws `ConfigurationError` if it has another name, or another key has signed it. */
export async function openLog({ heads, checkpoints, logKey }: OpenDeps): Promise<void> {
  const origin = logKey.name
  await heads.insertNew({ origin, size: 0, root: hashEmptyTree(sha256) })
  const head = await heads.find()
  if (head !== undefined && head.origin !== origin) {
    throw new ConfigurationError(
      `The log in this database is '${head.origin}', and the settings name '${origin}'. Set LLMRING_TLOG_ORIGIN and LLMRING_TLOG_PRIVATE_KEY_B64 to those of the log.`,
    )
  }
  const newest = await checkpoints.newest()
  if (newest === undefined || (await openOwnNote(logKey, new TextEncoder().encode(newest.note))) !== null) return
  throw new ConfigurationError(
    `LLMRING_TLOG_PRIVATE_KEY_B64: is not the key that has signed the log '${origin}', which is in this database. No other key can sign for this log.`,
  )
}
