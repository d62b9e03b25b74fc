/** Every limit of the log, with its unit. */
export const TRANSPARENCY_LIMITS = {
  /** Leaves that one transaction numbers. */
  chunkLeavesMax: 5_000,
  /** Leaves that are hashed before other requests may have a turn. */
  sliceLeavesMax: 256,
  /** From the begin of one chunk to the begin of the next while there is work and the chunks are not full. */
  flushMs: 30,
  /** How long after an `append` its commit is looked for that often. */
  expectMsMax: 1_000,
  /** How often every instance looks for what others left behind: leaves, heads without a note, newer checkpoints. */
  pollMs: 1_000,
  /** A chunk that has not been committed after this long is given up. */
  chunkMsMax: 10_000,
  /** Pending leaves that a poll counts, at most. */
  pendingCountedMax: 100_000,
  /** Half of what receipts promise: a leaf that is pending for longer stops the issuing of more. */
  lagMsMax: 30_000,
  /** What receipts promise. */
  mergeDelaySecondsMax: 60,
  /** Requests that wait for a checkpoint. */
  waitersMax: 20_000,
  /** Entries that are looked up at once for those who wait. */
  lookEntriesMax: 1_000,
  /** Of full tiles that are kept in memory. */
  tileCacheBytesMax: 32 * 1024 * 1024,
  /** Seconds for which clients and proxies may keep a checkpoint. */
  checkpointCacheSeconds: 2,
  /** Of the path of a full tile with a level of two digits and an index below 10^9. */
  fullTilePathCharsMax: 24,
  /** Pending leaves among which one that is asked for is looked for. */
  pendingSearchedMax: 10_000,
  /** After how many seconds a client may ask again while the log is suspended. */
  suspendedRetrySeconds: 5,
  /** Entries, and receipts, that a check of the whole log holds at a time. */
  checkEntriesMax: 5_000,
  /** Of what such a check finds wrong, so much is shown. */
  findingsShownMax: 100,
  /** How often checkpoints that need not be kept are deleted, and how old they are at least. */
  purgePauseMs: 60_000,
  purgeAgeMsMin: 300_000,
  /** Rows of a page, and pages at a time. */
  purgeRowsMax: 1_000,
  purgePagesMax: 20,
  /** One submission to a witness, from the connection to the end of its answer, which is a few lines. */
  witnessMsMax: 5_000,
  witnessAnswerBytesMax: 65_536,
  /** Requests of one submission: a witness names the size that it has seen, and may have seen more by then. */
  witnessAttemptsMax: 3,
  /** From the begin of one submission to that of the next; doubled with each failure. */
  witnessPauseMs: 1_000,
  witnessRetryMsMax: 60_000,
  /** One instance submits: for how long that holds unless it is renewed, from when on it is, and how often it is looked at. */
  witnessLeaseMs: 20_000,
  witnessRenewMs: 15_000,
  witnessLookMs: 1_000,
  /** How long a stop waits for the lease to be given back. */
  witnessReleaseMsMax: 1_000,
  /** A guard file holds one note. */
  guardBytesMax: 262_144,
  /** Of cosigned checkpoints, so many are asked for one that the quorum cosigned. */
  witnessedLookedAtMax: 16,
  /** How often the newest of those is looked for, whoever asks. */
  witnessedLookMs: 1_000,
} as const
