/**
 * Every bound of the embedded Postgres, with its unit. The sums of these are what a start or a stop can take at most.
 */
export const EMBEDDED_LIMITS = {
  /** initdb takes about a second; a slow disk gets two minutes. */
  initdbMsMax: 120_000,
  /** A short question to a binary (`postgres --version`) or to the shell. */
  commandMsMax: 10_000,
  commandOutputBytesMax: 256 * 1024,
  /** From the first look to an open connection; recovery after a crash replays at most `max_wal_size` of log. */
  startMsMax: 120_000,
  connectSecondsMax: 5,
  pollMs: 25,
  /** A killed service's lock is freed when its backend notices; a new service waits this long before it gives way. */
  lockWaitMsMax: 1_000,
  /** An empty `postmaster.pid` is either being written or what a crash left. */
  pidFileEmptyMsMax: 2_000,
  /**
   * Backends that outlive a killed postmaster keep its memory for a moment: an early start is refused, a later one is
   * not.
   */
  spawnAttemptsMax: 6,
  respawnAttemptsMax: 10,
  backoffMsMin: 100,
  backoffMsMax: 5_000,
  /** Deaths in a row before we stop restarting; a Postgres that lived `steadyMs` starts a new row. */
  restartsMax: 10,
  steadyMs: 60_000,
  /** A fast shutdown writes a checkpoint first; after this it is told to stop at once (the log repairs the rest). */
  fastStopMsMax: 20_000,
  immediateStopMsMax: 6_000,
  killMsMax: 2_000,
  logBytesMax: 8 * 1024 * 1024,
  logCheckMs: 60_000,
  logTailBytesMax: 4_096,
  /** A half-made folder is a leftover once it is older than any process that could still be making it. */
  leftoverMsMin: 600_000,
  othersShownMax: 5,
  listedMax: 1_000,
} as const
