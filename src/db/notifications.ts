import { randomBytes } from 'node:crypto'
import { type Clock, monotonicClock } from '../platform/clock.js'
import { deadline } from '../platform/deadline.js'
import { every } from '../platform/every.js'
import { TRUST_LIMITS } from '../platform/limits.js'
import { describeError, type Logger } from '../platform/logger.js'
import { type ClientOptions, createClient, type Sql } from './client.js'
import { changesChannel, decodeMessage, dispatchMessage, type MessageHandlers } from './messages.js'

export type Notifications = {
  /**
   * How old, in milliseconds, our knowledge may be: everything that was committed and notified longer ago than this
   * has been delivered. Infinity while there is no listener.
   */
  ageMs(): number
  subscribe(subscriber: Subscriber): void
  /** Resolves once everything that is committed by now has been delivered; rejects if the listener does not answer. */
  caughtUp(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

type Subscriber = {
  readonly onMessage?: MessageHandlers
  /** Messages may have been missed, so whatever depends on them must be dropped. */
  onMissedMessages?(): void
}

export type NotificationOptions = {
  readonly client: Omit<ClientOptions, 'connectionsMax' | 'pooled'>
  readonly logger: Logger
  readonly clock?: Clock
}

const { echoPauseMs, listenerLostMs } = TRUST_LIMITS

/**
 * Listens on a connection of its own and pings itself through Postgres. Notifications on one connection arrive in the
 * order of their commits, so the echo of a ping proves that everything committed before the ping was sent is here. That
 * covers what a socket cannot tell, a half-open connection above all; a listener without an echo is thrown away and
 * made anew.
 */
export function createNotifications(options: NotificationOptions): Notifications {
  const clock = options.clock ?? monotonicClock
  const changes = changesChannel(options.client.schema)
  const echoes = `${options.client.schema}_ping_${randomBytes(6).toString('hex')}`
  const subscribers: Subscriber[] = []
  let client: Sql | undefined
  let knownAt = Number.NEGATIVE_INFINITY
  let connectedAt = Number.NEGATIVE_INFINITY
  let connecting = false
  let closed = false
  const waiting = new Set<{ readonly sentAt: number; readonly wake: () => void }>()

  const forgetAll = () => {
    for (const subscriber of subscribers) subscriber.onMissedMessages?.()
  }

  const connect = async (): Promise<void> => {
    connecting = true
    void client?.end({ timeout: 0 }).catch(() => undefined)
    const fresh = createClient({
      ...options.client,
      connectionsMax: 1,
      pooled: false,
      applicationName: 'llmring-server listener',
    })
    client = fresh
    connectedAt = clock()
    try {
      await fresh.listen(changes, (payload) => deliver(fresh, payload), forgetAll)
      await fresh.listen(echoes, (sentAt) => {
        if (fresh === client) hear(Number(sentAt))
      })
      connectedAt = clock()
    } catch (error) {
      if (fresh === client) client = undefined
      void fresh.end({ timeout: 0 }).catch(() => undefined)
      if (!closed) options.logger.warn({ error: describeError(error) }, 'cannot listen for changes; trying again')
    } finally {
      connecting = false
    }
  }

  const deliver = (from: Sql, payload: string) => {
    if (from !== client) return
    const message = decodeMessage(payload)
    // What cannot be read may have said anything: it counts as missed.
    if (message === undefined) return forgetAll()
    for (const { onMessage = {} } of subscribers) dispatchMessage(onMessage, message)
  }

  const hear = (sentAt: number) => {
    knownAt = Math.max(knownAt, sentAt)
    for (const waiter of waiting) {
      if (waiter.sentAt > knownAt) continue
      waiting.delete(waiter)
      waiter.wake()
    }
  }

  const caughtUp = async (): Promise<void> => {
    if (client === undefined) throw new Error('there is no listener')
    const sentAt = clock()
    let waiter: { readonly sentAt: number; readonly wake: () => void } | undefined
    const echoed = new Promise<void>((resolve) => {
      waiter = { sentAt, wake: resolve }
      waiting.add(waiter)
    })
    try {
      await deadline(Promise.all([ping(client), echoed]), listenerLostMs)
    } finally {
      if (waiter !== undefined) waiting.delete(waiter)
    }
  }

  const ping = async (through: Sql): Promise<void> => {
    await through`select pg_notify(${echoes}, ${String(clock())})`
  }

  const tick = () => {
    const now = clock()
    const silent = now - Math.max(knownAt, connectedAt) > listenerLostMs
    if (client === undefined || silent) {
      // A connect that hangs (half-open again) is overtaken by the next one.
      if (!connecting || silent) void connect()
    } else void ping(client).catch(() => undefined)
  }

  const pinging = every({ name: 'ping the listener', run: tick, pauseMs: echoPauseMs, logger: options.logger })

  return {
    ageMs: () => clock() - knownAt,
    subscribe: (subscriber) => void subscribers.push(subscriber),
    caughtUp,
    start: async () => {
      await connect()
      await caughtUp().catch(() => undefined)
      pinging.startLater()
    },
    close: async () => {
      closed = true
      await pinging.stop()
      await client?.end({ timeout: 1 })
    },
  }
}
