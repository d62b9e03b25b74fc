/** Every limit of the log, with its unit. */
export const LOG_LIMITS = {
  /** So many bytes are written at once, or what there is after `flushMs`. */
  flushBytes: 8_192,
  flushMs: 250,
  /** Lines that wait for a slow reader; more are dropped. */
  bufferBytesMax: 8 * 1024 * 1024,
  /** How soon a full pipe is tried again. */
  retryMs: 20,
  /** At the end of the process, for a reader that takes nothing. */
  closeMsMax: 1_000,
} as const

/** Every limit of Redis, with its unit. Requests go on without it once these have passed. */
export const REDIS_LIMITS = {
  commandMsMax: 500,
  connectMsMax: 2_000,
  /**
   * How long a connection with unanswered commands may say nothing. Each of them is kept until its answer or the end.
   */
  silentMsMax: 1_000,
  reconnectMsMax: 2_000,
} as const

/** Every limit of the rate limiter itself, with its unit; the allowances are settings. */
export const RATE_LIMITS = {
  windowSeconds: 60,
  /** Whom this process counts, at most; beyond, those seen least recently are forgotten. About 10 MB. */
  idsMax: 50_000,
} as const

/** Of the engine's memory. */
export const HEAP_LIMITS = {
  /** What has to be kept, and as much again. */
  heapGrowthPercentMax: 100,
  heapGrowthPercentMin: 30,
  heapGrowthBytes: 64 * 1024 * 1024,
  heapLookMs: 1_000,
} as const

/** Of work that is done in slices. */
export const SLICE_LIMITS = {
  /** How long work may hold the event loop before everything else gets a turn, in milliseconds. */
  sliceMsMax: 5,
} as const

/**
 * How long what is remembered is trusted, decided in one place because the times hold each other. The listener's echo
 * comes about once a second. An alias may be answered while the last echo is younger than three seconds, which two lost
 * echoes do not reach; then the listener is made anew. A revoked key must be refused within two seconds everywhere, so
 * keys are trusted for less: one lost echo has them looked up again. Without a trusted listener both live two seconds.
 */
export const TRUST_LIMITS = {
  echoPauseMs: 1_000,
  listenerLostMs: 3_000,
  /** Heard from within this time, the listener is trusted and entries live until a notification ends them. */
  aliasesTrustedMs: 3_000,
  /** How long an entry lives while the listener is not trusted. */
  aliasesUntrustedLifeMs: 2_000,
  /**
   * A revocation is effective within this time on every instance, even on one whose listener has been lost unnoticed.
   */
  keysTrustedMs: 2_000,
} as const

/** Of the spans that are sent to a collector: how many wait, go at once and how often, and how long sending them may take. */
export const SPAN_LIMITS = {
  spansQueuedMax: 4_096,
  spansPerGroupMax: 512,
  spansPauseMs: 1_000,
  spansSendMsMax: 5_000,
  spansCloseMsMax: 3_000,
  spansConnectionsMax: 4,
} as const
