import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { checkPublicKey } from '../../core/ed25519/index.js'
import { formatNoteKey, isKeyName, makeNoteKey, type NoteKey, type NoteSigner } from '../../core/tlog/index.js'
import { ensureKeyFile } from '../../features/receipts/keys/key-file.js'
import { systemClock } from '../../platform/clock.js'
import { invariant } from '../../platform/invariant.js'
import { makeFolders } from '../../platform/make-folders.js'
import { createNodeSigner, createNodeVerifier } from '../../platform/node-ed25519.js'
import { sha256 } from '../../platform/sha256.js'
import { holdAlone } from '../hold-alone.js'
import { NotConfigured } from '../not-configured.js'
import { type AddCheckpoint, createAddCheckpoint } from './add-checkpoint.js'
import { createWitnessState, makeState, tidyUp } from './state.js'

export type WitnessOptions = {
  readonly state: string
  readonly key?: string
  readonly name?: string
  readonly newState?: boolean
}

export type Witness = {
  readonly name: string
  /** Its verifier key. */
  readonly keyText: string
  readonly add: AddCheckpoint
  close(): Promise<void>
}

/** Opens the state and the key, and makes both on the first start. Throws `InUse` and `NotConfigured`. */
export async function openWitness(options: WitnessOptions, logs: readonly NoteKey[]): Promise<Witness> {
  // The system says EACCES of a socket in a folder that is not there.
  await makeFolders(dirname(resolve(options.state)), 0o700)
  const hold = await holdAlone(options.state)
  try {
    await tidyUp(options.state)
    const keyPath = options.key ?? `${options.state}.key`
    // The state comes first: a key that is there without it may have cosigned what nobody remembers.
    await ensureState(options, keyPath)
    const seed = await ensureKeyFile(keyPath, async () => undefined)
    const signer = createCosigner(Buffer.from(seed, 'base64url'), options.name)
    const state = createWitnessState(options.state)
    // Read at once, so that a wrong file is refused here.
    await state.head('')
    const add = createAddCheckpoint({ state, logs, signer, verifier: createNodeVerifier(), clock: systemClock })
    return { name: signer.key.name, keyText: formatNoteKey(signer.key), add, close: hold.release }
  } catch (error) {
    await hold.release()
    throw error
  }
}

async function ensureState({ state, newState }: WitnessOptions, keyPath: string): Promise<void> {
  if (await exists(state)) return
  if ((await exists(keyPath)) && newState !== true) {
    throw new NotConfigured(
      `There is a key (${keyPath}) and no state (${state}). A witness that forgot what it cosigned could cosign another tree. Bring the state back; if this key never cosigned anything, add --new-state.`,
    )
  }
  await makeState(state)
}

function createCosigner(seed: Uint8Array, givenName: string | undefined): NoteSigner {
  const { publicKey, sign } = createNodeSigner(seed)
  const checked = checkPublicKey(publicKey)
  invariant(checked.ok, 'the public key of a seed is a good one')
  const name = givenName ?? `llmring.local/witness-${createHash('sha256').update(publicKey).digest('hex').slice(0, 8)}`
  if (!isKeyName(name)) throw new NotConfigured('--name: 1 to 255 characters, without spaces and plus signs.')
  return { key: makeNoteKey(sha256, name, 'cosignature', checked.key), sign }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
