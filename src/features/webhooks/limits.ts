/** Every limit of the webhooks, with its unit. */
export const WEBHOOK_LIMITS = {
  urlCharactersMax: 2_048,
  /** As it is sent, before its form is checked. */
  secretCharactersMax: 255,
  /** An address and a secret. */
  bodyBytesMax: 16_384,
  /** Of a secret, as the Standard Webhooks specification has it: 192 to 512 bits. */
  secretBytesMin: 24,
  secretBytesMax: 64,
  secretBytesMade: 32,
  /** Beyond it a delivery names no profiles, which means all. */
  profilesBytesMax: 16_384,
  /** Deliveries that wait in one project; the oldest makes room. */
  waitingPerProjectRowsMax: 1_000,

  /** How often an instance looks for what is due. What was written through it is looked for at once. */
  pollPauseMs: 1_000,
  /** Deliveries that one instance sends at the same time, each to another project's receiver. */
  sendsMax: 32,
  /** Of them, to receivers that failed or were slow the last time: these must not hold the others up. */
  slowSendsMax: 16,
  /** A receiver that needs longer is slow. */
  slowMsMin: 2_000,
  /** One attempt, from the look-up of the name to the end of the response. */
  sendMsMax: 15_000,
  /** After it another instance may send the same: longer than an attempt and what is written before and after it. */
  leaseMs: 60_000,
  /** What is read of a response. */
  responseBytesMax: 16_384,
  /** One question to a name server, and how often it is asked. */
  lookUpMsMax: 2_000,
  lookUpAttemptsMax: 2,
  /** Looking up the name of a receiver that is set. */
  checkMsMax: 5_000,
  /** Attempts under way get so long when the service closes. */
  closeMsMax: 2_000,

  /** The first wait after a failure; each next one is `retryFactorMax` times as long, up to `retryPauseMsMax`. */
  retryPauseMsMin: 5_000,
  retryFactorMax: 4,
  retryPauseMsMax: 3_600_000,
  /** What could not be delivered for so long is dropped. */
  retryMsMax: 86_400_000,
  /** Projects with fresh deliveries that this instance has not heard of as committed yet. */
  expectedProjectsMax: 10_000,
} as const
