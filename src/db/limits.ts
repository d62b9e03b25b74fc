/** Every limit of the database access, with its unit. Those of one statement and of the pool are settings, too. */
export const DATABASE_LIMITS = {
  connectSecondsMax: 5,
  statementMsMax: 10_000,
  /**
   * A server that says nothing for so much longer than its statements may take does not end them either: it is lost.
   */
  answerDelayMsMax: 2_000,
  waitMsMax: 5_000,
  idleInTransactionMsMax: 5_000,
  reconnectSecondsMax: 1,
  transactionMsMax: 15_000,
  waitingSweepMs: 250,
  /** How soon a probe has to be answered, and how long until the next one: while that is decided, and once it is away. */
  probeMsMax: 1_000,
  probePauseMs: 100,
  awayPauseMs: 500,
  /** Without an answer for so long the database is away, whatever the listener hears. */
  undecidedMsMax: 3_000,
  /** How often a question is asked that lost its connection, while the database answers others. */
  questionsMax: 3,
  partitionLockMsMax: 3_000,
  migrationWaitMsMax: 120_000,
  /** Shorter than a session may stay idle in its transaction. */
  migrationPollMs: 250,
} as const
