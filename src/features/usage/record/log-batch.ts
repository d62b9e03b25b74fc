import type { ParsedItem } from '../../../http/body/parse-json.js'
import { AppError } from '../../../platform/errors.js'
import { PROBLEMS } from '../../../platform/problem-catalogue.js'
import { sha256Hex } from '../../../platform/sha256.js'
import { createSlices } from '../../../platform/slices.js'
import type { SentEvent } from '../event.js'
import { fingerprint } from './fingerprint.js'
import { bothKeys, keyReused } from './idempotency-key.js'
import { type LogDeps, recordEvent, waitForRegistry } from './log-event.js'
import type { MarkStore } from './mark-store.js'
import type { KeepBatchRoom } from './open-queues.js'
import { type PreparedEvent, prepareEvent, type Sender } from './prepare-event.js'

export type BatchDeps = Omit<LogDeps, 'submit'> & {
  readonly claim: MarkStore['claim']
  readonly keepRoom: KeepBatchRoom
}
type SentItem = ParsedItem<SentEvent>
export type BatchInput = Sender & { readonly items: readonly SentItem[]; readonly headerKey: string | null }

/** The parts of the JSON text of `LoggedBatch`, and after how many seconds what was not written may be sent again. */
export type LoggedBatch = { readonly parts: readonly string[]; readonly retryAfterSeconds: number | null }

type Result =
  | { readonly ok: true; readonly answer: string; readonly isReplayed: boolean }
  | { readonly ok: false; readonly fault: AppError; readonly unexpected?: unknown }

/**
 * Records the events of a batch, each for itself: what is refused of one does not concern the others, and each result
 * says what became of its event. Throws `validation-failed` for a key of the header beside keys of events,
 * `idempotency-key-reused`, and `overloaded` or `database-unavailable` if nothing at all could be written.
 */
export async function logBatch(deps: BatchDeps, { items, headerKey, ...sender }: BatchInput): Promise<LoggedBatch> {
  const events = items.flatMap((item) => (item.ok ? [item.value] : []))
  if (headerKey !== null && events.some(({ idempotencyKey }) => idempotencyKey !== null)) throw bothKeys()
  await waitForRegistry(deps, events)
  const nowMs = headerKey === null ? deps.clock() : await claimBatch(deps, sender, items, headerKey)
  const prepared: (PreparedEvent | AppError)[] = []
  const slices = createSlices()
  for (const [index, item] of items.entries()) {
    if (slices.isDue()) await slices.pause()
    prepared.push(
      item.ok ? prepareItem(deps, sender, item.value, nameOf(item.value, headerKey, index), nowMs) : item.fault,
    )
  }
  const results = await recordItems(deps, prepared)
  for (const result of results) if ('unexpected' in result) throw result.unexpected
  const outage = results.find((result) => !result.ok && isOutage(result.fault))
  if (outage?.ok === false && !results.some(({ ok }) => ok)) throw outage.fault
  return { parts: await render(results), retryAfterSeconds: outage === undefined ? null : 1 }
}

const isOutage = ({ code }: AppError) => PROBLEMS[code].status >= 500

/** A batch's key stands for all of its events, each by its place: what an interruption left out is written later. */
function nameOf({ idempotencyKey }: SentEvent, headerKey: string | null, index: number) {
  if (headerKey !== null) return { key: headerKey, item: index + 1 }
  return idempotencyKey === null ? null : { key: idempotencyKey, item: 0 }
}

/**
 * When the batch with this key came for the first time, which decides what is in the future. Crash behind it: the key is
 * taken and no event is written; the same batch again writes them.
 */
async function claimBatch(deps: BatchDeps, { projectId }: Sender, items: readonly SentItem[], key: string) {
  const nowMs = deps.clock()
  const slices = createSlices()
  const prints: string[] = []
  for (const item of items) {
    if (slices.isDue()) await slices.pause()
    prints.push(item.ok ? fingerprint(item.value) : `refused ${item.fault.message}`)
  }
  const sha256 = sha256Hex(prints.map((print) => `${print}\n`))
  const kept = await deps.claim({ projectId, key, item: 0, sha256, markedAt: new Date(nowMs).toISOString() })
  if (kept !== undefined && (kept.sha256 !== sha256 || kept.logId !== null)) throw keyReused()
  return kept?.markedAt.getTime() ?? nowMs
}

function prepareItem(...input: Parameters<typeof prepareEvent>): PreparedEvent | AppError {
  try {
    return prepareEvent(...input)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

/** A batch is taken whole or not at all: there is room for its last row before the first one is handed over. */
async function recordItems(deps: BatchDeps, prepared: readonly (PreparedEvent | AppError)[]): Promise<Result[]> {
  const { submit, release } = deps.keepRoom(prepared.flatMap((one) => (one instanceof AppError ? [] : [one.row])))
  const recording = { ...deps, submit }
  const results: (Promise<Result> | Result)[] = []
  const slices = createSlices()
  try {
    for (const one of prepared) {
      if (slices.isDue()) await slices.pause()
      results.push(recordItem(recording, one))
    }
  } finally {
    release()
  }
  return Promise.all(results)
}

function recordItem(deps: LogDeps, prepared: PreparedEvent | AppError): Promise<Result> | Result {
  if (prepared instanceof AppError) return { ok: false, fault: prepared }
  return recordEvent(deps, prepared).then(({ answer, isReplayed }) => ({ ok: true, answer, isReplayed }), faultOf)
}

function faultOf(error: unknown): Result {
  if (error instanceof AppError) return { ok: false, fault: error }
  // Thrown when all have settled: until then there is nothing that would catch it.
  return { ok: false, fault: new AppError('internal-error', 'It failed.'), unexpected: error }
}

async function render(results: readonly Result[]): Promise<string[]> {
  const recorded = results.filter((result) => result.ok && !result.isReplayed).length
  const replayed = results.filter((result) => result.ok && result.isReplayed).length
  const counts = { recorded, replayed, refused: results.length - recorded - replayed }
  const parts = [`${JSON.stringify(counts).slice(0, -1)},"results":[`]
  const slices = createSlices()
  let text = ''
  for (const [index, result] of results.entries()) {
    text += `${index === 0 ? '' : ','}${renderResult(result)}`
    if (!slices.isDue()) continue
    parts.push(text)
    text = ''
    await slices.pause()
  }
  return [...parts, text, ']}']
}

function renderResult(result: Result): string {
  if (result.ok) return `{"status":200,${result.answer.slice(1)}`
  const { code, message: detail, extras } = result.fault
  const errors = extras.errors === undefined ? {} : { errors: extras.errors }
  return JSON.stringify({ status: PROBLEMS[code].status, code, detail, ...errors })
}
