/**
 * Every limit of the registry, with its unit. How long one fetch may take and how long a copy is fresh are settings.
 */
export const REGISTRY_LIMITS = {
  fileBytesMax: 16 * 1024 * 1024,
  jsonDepthMax: 32,
  redirectsMax: 5,
  /** A request that comes before the first load waits this long at most (the response's own deadline is 20 s). */
  firstLoadMsMax: 15_000,
  /** It waits a little longer than a fetch may take, so that it sees what the others brought while one hung. */
  firstLoadMarginMs: 250,
  /** How often the service looks whether a copy is due. */
  heartbeatMs: 1_000,
  retryMsMin: 1_000,
  retryMsMax: 60_000,
  /** The largest archived version's number that is looked for. */
  versionMax: 1_000_000,
  /** How far beyond the newest version that we know the origin is asked: it may be ahead of our copy. */
  versionsAheadMax: 2,
  keptReadMsMax: 2_000,
  /** Archived versions of a provider that one import takes: the newest. */
  importVersionsMax: 500,
  /** Its one transaction: no request waits for it, and a far database answers some 3,000 statements one by one. */
  importMsMax: 300_000,
  /** Files that wait to be kept in Postgres. */
  writesWaitingMax: 64,
  writesOnCloseMsMax: 2_000,
  /** How long a history of prices serves before the kept files are listed again. */
  priceHistoryMsMax: 60_000,
  /** A backfill asks the origin for one file at a time, after a pause, and gives up after so many failures in a row. */
  backfillPauseMs: 250,
  backfillFailuresMax: 3,
  archivesMax: 64,
  archivesBytesMax: 32 * 1024 * 1024,
  missingMax: 1_000,
  missingMsMax: 60_000,
  archiveFetchesPerMinuteMax: 120,
  renderedMax: 128,
  renderedBytesMax: 64 * 1024 * 1024,
  filterItemsMax: 32,
  filterCharactersMax: 1_024,
  /** What a client may keep without asking again; less if the copy's own time to live is shorter. */
  clientSecondsMax: 3_600,
  headBytesMax: 20,
  importFaultsShownMax: 20,
} as const
