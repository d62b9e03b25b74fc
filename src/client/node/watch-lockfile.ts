import { AliasError } from '../alias-error.js'
import type { Api } from '../api.js'
import { backoffMs, type FollowState, follow, pause } from '../follow.js'
import { CLIENT_LIMITS } from '../limits.js'
import type { LockfileStore } from '../lockfile/lockfile-source.js'
import { readLockfile } from '../lockfile/lockfile-text.js'
import { pullLockfile } from '../lockfile/published.js'
import { createMarker } from '../mirror.js'

/** What a watch tells: the file was written, nothing is published yet, or how the connection fares. */
export type WatchEvent =
  | { readonly kind: 'written'; readonly digest: string }
  | { readonly kind: 'unpublished' }
  | { readonly kind: 'state'; readonly state: FollowState }

export type WatchOptions = {
  readonly api: Api
  readonly store: LockfileStore
  readonly profile: string | undefined
  readonly onEvent: (event: WatchEvent) => void
  readonly signal: AbortSignal
  readonly random: () => number
}

/** What no waiting mends: the key is refused, or the request is none. */
const REFUSALS = new Set([400, 401, 403, 404, 422])

/**
 * Keeps a lockfile equal to what a server has published, until the signal is aborted. While the server is away the file
 * stays as it is. Rejects with what the server refuses for good.
 */
export async function watchLockfile({ api, store, profile, onEvent, signal, random }: WatchOptions): Promise<void> {
  const ending = new AbortController()
  const both = AbortSignal.any([signal, ending.signal])
  let refused: AliasError | undefined
  const refuse = (error: AliasError) => {
    if (!REFUSALS.has(error.problem?.status ?? 0)) return
    refused = error
    ending.abort()
  }
  const keeper = createKeeper({ api, store, profile, onEvent, random, signal: both, onRefused: refuse })
  await follow({
    ...{ api, profile, random, signal: both, limits: CLIENT_LIMITS, mirror: createMarker(), onDelta: keeper.renew },
    onState: (state) => {
      onEvent({ kind: 'state', state })
      if (state.status === 'away') refuse(state.error)
    },
  })
  await keeper.idle()
  if (refused !== undefined) throw refused
}

type KeeperOptions = WatchOptions & { readonly onRefused: (error: AliasError) => void }

/** Writes the file after a change; changes that come while it is written are written together, after it. */
function createKeeper({ api, store, profile, onEvent, onRefused, signal, random }: KeeperOptions) {
  let isDue = false
  let working: Promise<void> | undefined

  const write = async (): Promise<void> => {
    const pulled = await pullLockfile(api, { format: store.format, profile, signal })
    if (pulled === undefined) return
    readLockfile(pulled.text, { where: `What ${api.where} sent`, format: store.format, bareModels: 'keep' })
    const held = await store.read()
    if (held === pulled.text) return
    // Another program wrote it at this moment: it is read and written again.
    if (await store.replace(pulled.text, held)) onEvent({ kind: 'written', digest: pulled.digest })
    else isDue = true
  }
  /** Says whether it has to be tried again. */
  const fail = (error: unknown): boolean => {
    if (signal.aborted) return false
    if (error instanceof AliasError && error.problem?.status === 404) {
      onEvent({ kind: 'unpublished' })
      return false
    }
    const known = error instanceof AliasError ? error : asFault(error, store.where)
    onEvent({ kind: 'state', state: { status: 'away', error: known } })
    onRefused(known)
    return true
  }
  const work = async (): Promise<void> => {
    for (let failures = 0; isDue && !signal.aborted; ) {
      isDue = false
      try {
        await write()
        failures = 0
      } catch (error) {
        if (!fail(error)) continue
        isDue = true
        await pause(backoffMs(CLIENT_LIMITS, ++failures, random), signal)
      }
    }
  }
  return {
    idle: () => working ?? Promise.resolve(),
    renew: () => {
      isDue = true
      working ??= work().finally(() => {
        working = undefined
      })
    },
  }
}

/** A disk that is full, a folder that is gone: the watch goes on, since that may end. */
const asFault = (cause: unknown, where: string): AliasError =>
  new AliasError(
    'lockfile-busy',
    `${where} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      cause,
    },
  )
