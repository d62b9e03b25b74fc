import type { ProjectId } from '../../access/principal.js'

/** A secret as it is stored: encrypted, and with which key. */
export type SealedSecret = { readonly bytes: Uint8Array; readonly keyId: string }

/** What a project's webhook is, and how sending to it goes. */
export type Webhook = {
  readonly url: string
  readonly createdAt: Date
  /** Who set it. */
  readonly keyId: string | null
  /** When the receiver said that it is gone (410). */
  readonly disabledAt: Date | null
  readonly waiting: number
  /** Attempts in a row that failed. */
  readonly failures: number
  readonly lastFailure: string | null
  readonly dueAt: Date | null
}

export type NewWebhook = {
  readonly projectId: ProjectId
  readonly url: string
  readonly secret: SealedSecret
  readonly keyId: string | null
}

/** One delivery; `body` is the text that is signed and sent. */
export type Delivery = NewDelivery & {
  /** Where it stands among those of its project. */
  readonly place: number
}

export type NewDelivery = {
  /** The `webhook-id`: the same for every attempt. */
  readonly id: string
  readonly body: string
}

/** What an instance has taken to send. No other instance sends it before the lease is over. */
export type Claim = {
  readonly projectId: ProjectId
  readonly lease: string
  readonly url: string
  readonly secret: SealedSecret
  readonly edition: number
  readonly failures: number
  /** Undefined if nothing waits any more. */
  readonly delivery: Delivery | undefined
}

/** What became of an attempt. `interrupted`: it was broken off by us, and says nothing of the receiver. */
export type Outcome =
  | { readonly status: 'delivered'; readonly slow: boolean }
  | { readonly status: 'failed'; readonly reason: string; readonly pauseMs: number }
  | { readonly status: 'gone' }
  | { readonly status: 'interrupted' }

/** `dropped`: deliveries that were given up. `more`: others wait, and are due. */
export type Settled = { readonly dropped: number; readonly more: boolean }
