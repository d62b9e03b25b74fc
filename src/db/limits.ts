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
  partitionLockMsMax: 3_000,
  migrationWaitMsMax: 120_000,
  /** Shorter than a session may stay idle in its transaction. */
  migrationPollMs: 250,
} as const
