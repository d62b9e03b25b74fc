import { createHash } from 'node:crypto'
import { parseNote, toLogProofJson } from '../../../core/tlog/index.js'
import { AppError } from '../../../platform/errors.js'
import { invariant } from '../../../platform/invariant.js'
import { RECEIPT_LIMITS } from '../limits.js'
import type { LoggedEntry, ReceiptLog } from '../log-port.js'

/** What a client wants to be told of the log: after a wait of so many seconds at most, and with the proof. */
export type LogWish = { readonly waitSeconds: number; readonly isProofWanted: boolean }

export type LogNews = { readonly isLogged: boolean; readonly proof: LoggedEntry | null }

/** `Prefer: wait=<seconds>` (RFC 7240, 4.3) or `?wait=logged`; a longer wait than there may be is that one. */
export function readLogWish(
  query: { readonly wait?: 'logged' | undefined; readonly include?: 'proof' | undefined },
  prefer: string | undefined,
): LogWish | undefined {
  const preferred = prefer === undefined ? 0 : preferredSeconds(prefer)
  const waitSeconds = query.wait === 'logged' ? RECEIPT_LIMITS.waitSecondsMax : preferred
  const isProofWanted = query.include === 'proof'
  return waitSeconds === 0 && !isProofWanted ? undefined : { waitSeconds, isProofWanted }
}

function preferredSeconds(prefer: string): number {
  const seconds = Number(/(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer)?.[1] ?? 0)
  return Math.min(seconds, RECEIPT_LIMITS.waitSecondsMax)
}

/** Who ends the wait: the reader that leaves, and the service that drains. */
export type Ends = { readonly signal: AbortSignal; readonly draining: AbortSignal }

/**
 * Waits until a published checkpoint covers a kept receipt, as long as the client wishes, and reads its proof. Whatever
 * goes wrong with the log is no trouble of the receipt, which is kept: then it is not known to be logged.
 */
export async function waitLogged(
  log: Pick<ReceiptLog, 'waitLogged' | 'prove'>,
  canonical: Uint8Array,
  wish: LogWish,
  { signal, draining }: Ends,
): Promise<LogNews> {
  const entry = createHash('sha256').update(canonical).digest()
  const end = new AbortController()
  const stop = () => end.abort()
  for (const one of [signal, draining]) one.addEventListener('abort', stop, { once: true })
  if (signal.aborted || draining.aborted) stop()
  try {
    const isLogged = wish.waitSeconds > 0 && (await log.waitLogged(entry, wish.waitSeconds * 1000, end.signal))
    const proof = wish.isProofWanted ? await log.prove(entry) : null
    return { isLogged, proof }
  } catch (error) {
    if (error instanceof AppError) return { isLogged: false, proof: null }
    throw error
  } finally {
    for (const one of [signal, draining]) one.removeEventListener('abort', stop)
  }
}

/** The three parts of a proof in JSON. */
export function renderProof({ index, proof, checkpoint }: LoggedEntry): ReturnType<typeof toLogProofJson> {
  const parsed = parseNote(checkpoint)
  invariant(parsed.ok, 'a published checkpoint is a note')
  return toLogProofJson({ extra: null, index, proof, checkpoint: parsed.note })
}
