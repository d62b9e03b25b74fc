import type { ProjectId } from '../../access/principal.js'
import type { ChatUsage, ChatWire, Members } from '../../core/chat/index.js'
import type { Attempted, Backend } from '../../core/routing/index.js'
import type { AppError } from '../../platform/errors.js'
import type { CacheWish } from './cache/cache-wish.js'
import type { Spent } from './serve/spent.js'

/** A request of a caller, in the language of the surface where it came. */
export type ChatCall = {
  readonly projectId: ProjectId
  readonly keyId: string | null
  readonly surface: ChatWire
  readonly body: Members
  readonly isStream: boolean
  /** Whether the caller asked for the usage of a stream. */
  readonly wantsUsage: boolean
  /** As it was asked for; undefined leaves the choice to the service. */
  readonly requestedModel: string | undefined
  /** The alias that the model is, if it is one, and the profile in which it is bound. */
  readonly alias: string | null
  readonly profile: string
  readonly wantsReceipt: boolean
  /** What the receipt will be called, if one is asked for. */
  readonly receiptId: string | null
  readonly cacheWish: CacheWish
  /** Headers of the request that go on to an upstream of the same language. */
  readonly passedHeaders: Readonly<Record<string, string>>
  /** `traceparent` of the request, if it has one: what its span belongs to. */
  readonly traceparent?: string | undefined
  /** What such usage would have cost at the dearest backend that might have answered, in pico-USD, if that is known. */
  readonly dearest?: (usage: ChatUsage) => bigint | null
  /** Aborted when the caller left. */
  readonly signal: AbortSignal
}

/** The same before it is known what the model is. */
export type ChatRequest = Omit<ChatCall, 'alias' | 'receiptId'>

/** What a caller gets. `frames` are texts of events; a stream that breaks off ends with one that says so. */
export type CallAnswer =
  | { readonly kind: 'whole'; readonly body: string }
  | { readonly kind: 'stream'; readonly frames: AsyncGenerator<string> }

/** Why an attempt failed, in the words for the caller, and what it may have used. */
export type AttemptFailure = { readonly error: AppError; readonly spent: Spent }

/** How one attempt at one backend went, so far. */
export type Attempt = Attempted<CallAnswer, AttemptFailure>

/** Asks one backend: `answering` once the whole answer, or the first event of a stream, is here. Never rejects. */
export type AttemptAt = (backend: Backend) => Promise<Attempt>

/** An answer, and what its headers say of how it came. */
export type Served = {
  readonly answer: CallAnswer
  readonly headers: Readonly<Record<string, string>>
}
