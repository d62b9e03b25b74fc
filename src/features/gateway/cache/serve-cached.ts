import { failureFrame, renderFrame } from '../../../core/chat/index.js'
import { type Backend, backendName, type RequestKeys, requestKeys } from '../../../core/routing/index.js'
import type { CallSlot } from '../account/account.js'
import { createSavedRow, type SavedDeps, type SavedRow, watchSlot } from '../account/saved-row.js'
import type { ChatCall, Served } from '../call.js'
import { type AnswerCache, type CachedAnswer, ROUTED_HEADER } from './answer-cache.js'
import { isRepeatable } from './cache-wish.js'
import type { Flights } from './flights.js'
import { createTape, type Tape } from './tape.js'

/** Serves a call by asking backends; its row goes into the room that `keepRoom` gives. */
export type Serve = (call: ChatCall, keepRoom: (call: ChatCall) => CallSlot) => Promise<Served>

/** What identical calls share. `row` is what became of the call that was made, once that is known. */
export type SharedAnswer = {
  readonly how: 'MISS' | 'HIT' | 'SEMANTIC'
  readonly headers: Readonly<Record<string, string>>
  readonly text: { readonly whole: string } | { readonly tape: Tape }
  readonly row: () => SavedRow | null
  readonly over: Promise<void>
}

export type CachedDeps = SavedDeps & {
  readonly cache: AnswerCache
  readonly flights: Flights<SharedAnswer>
  readonly ttlSeconds: number
}
/** What an alias is bound to, in its order, and the backends that serve it. */
type WhoMayAnswer = { readonly bound: readonly string[] | null; readonly candidates: readonly Backend[] }
type Keys = RequestKeys

/**
 * Serves a call out of the cache, together with identical calls that are under way, or by itself. One that leaves
 * something to chance is served by itself unless its caller allows more, and so is one for a receipt, which attests a
 * call that was made. The key holds who may answer, so that an alias that is bound anew gets new answers.
 */
export async function serveCached(deps: CachedDeps, call: ChatCall, who: WhoMayAnswer, serve: Serve): Promise<Served> {
  const { projectId, surface, isStream, passedHeaders, cacheWish: wish } = call
  // Sorted: the order in which they are asked changes with their load.
  const candidates = who.candidates.map(backendName).sort()
  const scope = { surface, isStream, bound: who.bound, candidates, passedHeaders, profile: call.profile }
  const isShared = isRepeatable(call.body, wish) && !call.wantsReceipt && (wish.reads || wish.writes)
  const keys = isShared ? requestKeys({ projectId, scope, body: call.body }) : undefined
  if (keys === undefined) return serve(call, deps.keepRoom)
  // What was asked for anew is not answered by a call that is under way, which may have begun long ago.
  if (!wish.reads) return aloneServed(deps, call, keys, serve)
  const flight = deps.flights.board(`${projectId} ${keys.exact}`, (signal) =>
    findOrCall(deps, { ...call, signal }, keys, serve),
  )
  call.signal.addEventListener('abort', flight.leave, { once: true })
  if (call.signal.aborted) flight.leave()
  return ride(deps, call, flight)
}

async function aloneServed(deps: CachedDeps, call: ChatCall, keys: Keys, serve: Serve): Promise<Served> {
  try {
    return leadServed(await makeCall(deps, call, keys, serve), call, () => undefined)
  } catch (error) {
    throw error instanceof SharedFailure ? error.cause : error
  }
}

async function findOrCall(deps: CachedDeps, call: ChatCall, keys: Keys, serve: Serve): Promise<SharedAnswer> {
  const found = await deps.cache.find(call.projectId, keys)
  return found === null ? makeCall(deps, call, keys, serve) : sharedFrom(found.answer, found.how, call.isStream)
}

function sharedFrom(answer: CachedAnswer, how: 'HIT' | 'SEMANTIC', isStream: boolean): SharedAnswer {
  const { text, headers, provider, model, cost } = answer
  return {
    how,
    headers,
    text: isStream ? { tape: createTape(once(text)) } : { whole: text },
    row: () => ({ provider, model, cost, outcome: 'answered' }),
    over: Promise.resolve(),
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

/** A call that failed, with what its row says: those who shared it leave rows too. */
class SharedFailure extends Error {
  readonly row: SavedRow | null

  constructor(cause: unknown, row: SavedRow | null) {
    super('The shared call failed.', { cause })
    this.row = row
  }
}

/** Makes the call, and keeps its answer if it came to its end. */
async function makeCall(deps: CachedDeps, call: ChatCall, keys: Keys, serve: Serve): Promise<SharedAnswer> {
  const watched = watchSlot(deps.keepRoom)
  const { answer, headers } = await serve(call, watched.keepRoom).catch((error: unknown) => {
    throw new SharedFailure(error, watched.row())
  })
  const keep = async (text: string | null): Promise<void> => {
    const row = watched.row()
    if (text === null || row?.outcome !== 'answered' || !call.cacheWish.writes) return
    const { provider, model, cost } = row
    const ttlMs = 1_000 * (call.cacheWish.ttlSeconds ?? deps.ttlSeconds)
    await deps.cache.keep(call.projectId, keys, { text, provider, model, cost, headers: routed(headers) }, ttlMs)
  }
  const shared = { how: 'MISS', headers, row: watched.row } as const
  if (answer.kind === 'whole')
    return { ...shared, text: { whole: answer.body }, over: keep(answer.body).catch(() => undefined) }
  const tape = createTape(answer.frames)
  // Once the last caller has left the stream is read to its end, within the limits of the call: for its row.
  const drain = () => void tape.drain().catch(() => undefined)
  if (call.signal.aborted) drain()
  else call.signal.addEventListener('abort', drain, { once: true })
  return { ...shared, text: { tape }, over: tape.kept.then(keep).catch(() => undefined) }
}

/** What a later answer still says of how it was routed. */
const routed = (headers: Served['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => ROUTED_HEADER.test(name)))

type Ride = ReturnType<Flights<SharedAnswer>['board']>

/** Waits for what is shared, and leaves a row of its own if the call that was made is another's. */
async function ride(deps: CachedDeps, call: ChatCall, flight: Ride): Promise<Served> {
  let row: OwnRow | null = null
  try {
    row = flight.leads ? null : createSavedRow(deps, call)
    const shared = await flight.result
    if (row === null && shared.how === 'MISS') return leadServed(shared, call, flight.leave)
    row ??= createSavedRow(deps, call)
    return await follow(shared, call, row, flight.leave)
  } catch (error) {
    flight.leave()
    const isShared = error instanceof SharedFailure
    await row?.settle('COALESCED', isShared ? error.row : null)
    throw isShared ? error.cause : error
  }
}

/** The answer to the caller for whom the call was made: its row is that of the call. */
function leadServed(shared: SharedAnswer, call: ChatCall, leave: () => void): Served {
  const headers = { ...shared.headers, 'X-LLM-Router-Cache': 'MISS' }
  const end = (isWhole: boolean) => leaveAfter(shared, isWhole, leave)
  if ('tape' in shared.text) {
    return {
      answer: { kind: 'stream', frames: read(shared.text.tape, call, async (isWhole) => end(isWhole)) },
      headers,
    }
  }
  end(true)
  return { answer: { kind: 'whole', body: shared.text.whole }, headers }
}

/** Who got the whole answer stays aboard until it is kept, so that those who come meanwhile share it. */
function leaveAfter(shared: SharedAnswer, isWhole: boolean, leave: () => void): void {
  if (isWhole) void shared.over.then(leave)
  else leave()
}

type OwnRow = ReturnType<typeof createSavedRow>

async function follow(shared: SharedAnswer, call: ChatCall, row: OwnRow, leave: () => void): Promise<Served> {
  const how = shared.how === 'MISS' ? 'COALESCED' : shared.how
  const headers = { 'X-LLM-Router-Attempts': '0', ...shared.headers, 'X-LLM-Router-Cache': how }
  const end = async (isWhole: boolean) => {
    leaveAfter(shared, isWhole, leave)
    await row.settle(how, shared.row() ?? underWay(shared))
  }
  if ('whole' in shared.text) {
    await end(true)
    return { answer: { kind: 'whole', body: shared.text.whole }, headers }
  }
  // A caller may leave before its stream is read at all.
  call.signal.addEventListener('abort', () => void end(false).catch(() => undefined), { once: true })
  return { answer: { kind: 'stream', frames: read(shared.text.tape, call, end) }, headers }
}

/** What a caller who left a stream in the middle knows of the call. */
function underWay({ headers }: SharedAnswer): SavedRow {
  const [provider = '', ...model] = (headers['X-LLM-Router-Model'] ?? '').split(':')
  return { provider, model: model.join(':'), cost: '0', outcome: 'cancelled' }
}

async function* read(tape: Tape, call: ChatCall, end: (isWhole: boolean) => Promise<void>): AsyncGenerator<string> {
  let isWhole = false
  try {
    yield* tape.read()
    isWhole = true
  } catch {
    yield renderFrame(failureFrame(call.surface, { message: 'The stream broke off.', type: null }))
  } finally {
    await end(isWhole)
  }
}
