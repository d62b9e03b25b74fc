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
  const subscribers = createSubscribers()
  const echoes = createEchoes(`${options.client.schema}_ping_${randomBytes(6).toString('hex')}`, clock)
  const listener = createListener(options, clock, {
    echoChannel: echoes.channel,
    onChange: subscribers.deliver,
    onEcho: echoes.hear,
    onMissed: subscribers.forgetAll,
  })

  const caughtUp = async (): Promise<void> => {
    const client = listener.client()
    if (client === undefined) throw new Error('there is no listener')
    await echoes.await(client)
  }

  const tick = (): void => {
    const client = listener.client()
    const isSilent = clock() - Math.max(echoes.knownAt(), listener.connectedAt()) > listenerLostMs
    if (client === undefined || isSilent) {
      // A connect that hangs (half-open again) is overtaken by the next one.
      if (!listener.isConnecting() || isSilent) void listener.connect()
    } else void echoes.ping(client).catch(() => undefined)
  }
  const pinging = every({ name: 'ping the listener', run: tick, pauseMs: echoPauseMs, logger: options.logger })

  return {
    ageMs: () => clock() - echoes.knownAt(),
    subscribe: subscribers.add,
    caughtUp,
    start: async () => {
      await listener.connect()
      await caughtUp().catch(() => undefined)
      pinging.startLater()
    },
    close: async () => {
      await pinging.stop()
      await listener.close()
    },
  }
}

function createSubscribers() {
  const subscribers: Subscriber[] = []

  const forgetAll = (): void => {
    for (const subscriber of subscribers) subscriber.onMissedMessages?.()
  }

  return {
    add: (subscriber: Subscriber): void => void subscribers.push(subscriber),
    forgetAll,
    deliver: (payload: string): void => {
      const message = decodeMessage(payload)
      // What cannot be read may have said anything: it counts as missed.
      if (message === undefined) forgetAll()
      else for (const { onMessage = {} } of subscribers) dispatchMessage(onMessage, message)
    },
  }
}

type Waiter = { readonly sentAt: number; wake: () => void }

/** Pings through Postgres, on a channel of their own, and which of them came back. A ping says when it was sent. */
function createEchoes(channel: string, clock: Clock) {
  const waiters = new Set<Waiter>()
  let knownAt = Number.NEGATIVE_INFINITY

  const ping = async (through: Sql): Promise<void> => {
    await through`select pg_notify(${channel}, ${String(clock())})`
  }

  return {
    channel,
    ping,
    /** When the latest ping that came back was sent: everything committed before is here. */
    knownAt: () => knownAt,
    hear: (payload: string): void => {
      knownAt = Math.max(knownAt, Number(payload))
      for (const waiter of waiters) {
        if (waiter.sentAt > knownAt) continue
        waiters.delete(waiter)
        waiter.wake()
      }
    },
    /** Resolves when a ping that is sent now, or later, came back. */
    await: async (through: Sql): Promise<void> => {
      const waiter: Waiter = { sentAt: clock(), wake: () => undefined }
      const echoed = new Promise<void>((resolve) => {
        waiter.wake = resolve
      })
      waiters.add(waiter)
      try {
        await deadline(Promise.all([ping(through), echoed]), listenerLostMs)
      } finally {
        waiters.delete(waiter)
      }
    },
  }
}

type ListenerPorts = {
  readonly echoChannel: string
  readonly onChange: (payload: string) => void
  readonly onEcho: (payload: string) => void
  readonly onMissed: () => void
}

/** One listening connection at a time: what one that was given up delivers late is not heard. */
function createListener({ client: settings, logger }: NotificationOptions, clock: Clock, ports: ListenerPorts) {
  let client: Sql | undefined
  let connectedAt = Number.NEGATIVE_INFINITY
  let connecting = false
  let failed = false
  let closed = false

  const connect = async (): Promise<void> => {
    connecting = true
    void client?.end({ timeout: 0 }).catch(() => undefined)
    const applicationName = 'llmring-server listener'
    const fresh = createClient({ ...settings, connectionsMax: 1, pooled: false, applicationName })
    const unlessGivenUp = (hear: (payload: string) => void) => (payload: string) => {
      if (fresh === client) hear(payload)
    }
    client = fresh
    connectedAt = clock()
    try {
      await fresh.listen(changesChannel(settings.schema), unlessGivenUp(ports.onChange), ports.onMissed)
      await fresh.listen(ports.echoChannel, unlessGivenUp(ports.onEcho))
      connectedAt = clock()
      failed = false
    } catch (error) {
      if (fresh === client) client = undefined
      void fresh.end({ timeout: 0 }).catch(() => undefined)
      // Of attempts in a row the first says it: an outage of an hour would have a line every three seconds.
      if (!closed && !failed) logger.warn({ error: describeError(error) }, 'cannot listen for changes; trying again')
      failed = true
    } finally {
      connecting = false
    }
  }

  return {
    client: () => client,
    connectedAt: () => connectedAt,
    isConnecting: () => connecting,
    connect,
    close: async (): Promise<void> => {
      closed = true
      await client?.end({ timeout: 1 })
    },
  }
}
