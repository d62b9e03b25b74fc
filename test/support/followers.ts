import { setTimeout as sleep } from 'node:timers/promises'
import { type AliasChange, type Delta, readEvents } from './event-reader.js'

/** What a follower made of the changes that it was told: by profile and alias. */
export type Replica = ReadonlyMap<string, AliasChange>
export type Followed = {
  readonly replica: Replica
  /** What it was told that it must not be told. */
  readonly faults: readonly string[]
  stop(): Promise<void>
}
type Setting = {
  readonly url: string
  readonly key: string
  readonly profile: string | null
  /** After how many milliseconds its connection is cut, in turn and again and again; a cut may hit anything. */
  readonly cutsMs: readonly number[]
}
type State = {
  epoch: string | undefined
  since: number
  lastEventId: string | undefined
  isOver: boolean
  cuts: number
}

/** Every fourth time it is left alone, so that it gets on. */
const UNDISTURBED = 4

function createFollower(setting: Setting, follow: (tools: Tools) => Promise<void>): Followed {
  const replica = new Map<string, AliasChange>()
  const faults: string[] = []
  const state: State = { epoch: undefined, since: 0, lastEventId: undefined, isOver: false, cuts: 0 }
  const stopping = new AbortController()

  const take = ({ epoch, revision, reset, profile, changes }: Delta): void => {
    if (reset) replica.clear()
    else if (state.epoch !== undefined && state.epoch !== epoch) faults.push('another epoch without a reset')
    else if (revision < state.since) faults.push(`revision ${revision} after ${state.since}`)
    if (profile !== setting.profile) faults.push(`changes of ${profile}`)
    for (const change of changes) {
      if (profile !== null && change.profile !== profile) faults.push(`a change of ${change.profile}`)
      if (change.op === 'delete') replica.delete(`${change.profile}/${change.alias}`)
      else replica.set(`${change.profile}/${change.alias}`, change)
    }
    state.epoch = epoch
    state.since = revision
  }
  /** Aborted when the connection shall be cut. */
  const cut = (): AbortSignal => {
    state.cuts += 1
    if (state.cuts % UNDISTURBED === 0) return stopping.signal
    const ms = setting.cutsMs[state.cuts % setting.cutsMs.length] ?? 10
    return AbortSignal.any([stopping.signal, AbortSignal.timeout(ms)])
  }
  const done = (async () => {
    while (!stopping.signal.aborted) await follow({ setting, state, take, cut, faults })
  })()
  const stop = async () => {
    stopping.abort()
    await done
  }
  return { replica, faults, stop }
}

type Tools = {
  readonly setting: Setting
  readonly state: State
  readonly take: (delta: Delta) => void
  readonly cut: () => AbortSignal
  readonly faults: string[]
}

function queryOf({ profile }: Setting, { epoch, since }: State): string {
  return new URLSearchParams({
    ...(profile === null ? {} : { profile }),
    since: String(since),
    ...(epoch === undefined ? {} : { epoch }),
  }).toString()
}

async function ask({ setting, state, take, cut, faults }: Tools, more = ''): Promise<void> {
  try {
    const address = `${setting.url}/api/v1/sync?${queryOf(setting, state)}${more}`
    const answer = await fetch(address, { headers: { 'X-Project-Key': setting.key }, signal: cut() })
    const delta = await answer.json()
    if (answer.status === 200) take(delta as Delta)
    else faults.push(JSON.stringify(delta))
  } catch {
    // Cut: nothing of it counts.
  }
}

async function stream({ setting, state, take, cut, faults }: Tools): Promise<void> {
  const signal = cut()
  const resume = state.lastEventId === undefined ? {} : { 'Last-Event-ID': state.lastEventId }
  const query = state.lastEventId === undefined ? queryOf(setting, state) : queryOf(setting, { ...state, since: 0 })
  const reader = await readEvents(`${setting.url}/api/v1/sync?${query}`, { 'X-Project-Key': setting.key, ...resume })
  if (reader.status !== 200) faults.push(reader.text())
  let taken = 0
  while (!signal.aborted && !reader.isOver()) {
    for (const { id, data } of reader.events.slice(taken)) {
      take(data)
      state.lastEventId = id
      taken += 1
    }
    await sleep(2)
  }
  reader.close()
}

/** The manners in which changes can be followed. */
export const FOLLOWERS = {
  delta: (setting: Setting) =>
    createFollower(setting, async (tools) => {
      await ask(tools)
      await sleep(5)
    }),
  'long-poll': (setting: Setting) => createFollower(setting, (tools) => ask(tools, '&wait=1')),
  stream: (setting: Setting) => createFollower(setting, stream),
} as const
