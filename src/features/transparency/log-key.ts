import { checkPublicKey } from '../../core/ed25519/index.js'
import { makeNoteKey, type NoteKey } from '../../core/tlog/index.js'
import { ConfigurationError } from '../../platform/configuration-error.js'
import { createNodeSigner } from '../../platform/node-ed25519.js'
import { sha256 } from '../../platform/sha256.js'

/** Who signs the log's checkpoints. */
export type LogSigner = {
  readonly key: NoteKey
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** The signer of the log `origin`. Throws `ConfigurationError` for a seed whose public key the Ed25519 rule refuses. */
export function createLogSigner(origin: string, seed: Uint8Array): LogSigner {
  const { publicKey, sign } = createNodeSigner(seed)
  const checked = checkPublicKey(publicKey)
  if (!checked.ok) throw new ConfigurationError(`LLMRING_TLOG_PRIVATE_KEY_B64: is not a safe key (${checked.reason})`)
  return { key: makeNoteKey(sha256, origin, 'note', checked.key), sign }
}
