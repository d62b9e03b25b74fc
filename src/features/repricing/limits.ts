/** Every limit of repricing, with its unit. */
export const REPRICE_LIMITS = {
  bodyBytesMax: 16_384,
  timeCharactersMax: 64,
  versionCharactersMax: 255,
  /** How often a job is tried to be added, as the one in its way ends meanwhile. */
  startTriesMax: 3,
  /** Events in one transaction. */
  chunkRowsMax: 500,
  /** Chunks of a job before another one has its turn. */
  turnChunksMax: 50,
  /** How often an instance looks for a job. */
  pollPauseMs: 500,
  /** After it another instance may take a job over: a chunk is refused then, and begins anew. */
  leaseMs: 15_000,
  /** After a failure. So many in a row end the job. */
  retryPauseMs: 5_000,
  failuresMax: 60,
  failureCharactersMax: 500,
  /** Models of which the sums are told apart; the others are one. */
  modelsMax: 200,
  /** Jobs of a project that are kept when they are over. */
  jobsKeptMax: 100,
  pageJobsMax: 100,
} as const
