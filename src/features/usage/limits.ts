import { reportedCostUsdMax, tokensPerKindMax } from '../../core/pricing/index.js'

/** Every limit of the usage feature, with its unit. The items of a group and the lanes are settings. */
export const USAGE_LIMITS = {
  nameCharactersMax: 255,
  tokensPerKindMax,
  reportedCostUsdMax,
  latencyMsMax: 1_000_000_000,
  /** The beginning of the year 10000: years have four digits. */
  timeMsMax: 253_402_300_800_000,
  metadataBytesMax: 65_536,
  /** Metadata of that size with every character escaped, and the names. */
  bodyBytesMax: 524_288,
  /** An idempotency key, in the header or of an event. */
  idempotencyKeyCharactersMax: 255,
  batchItemsMax: 5_000,
  /**
   * What a service whose bodies may be larger than this (LLMRING_BODY_BYTES_MAX, 4 MiB by default) takes as a batch all
   * the same. A quarter of what the queue takes: a row needs up to twice its bytes, and one that never fits would be
   * told to come again for ever.
   */
  batchBodyBytesCeiling: 16_777_216,
  /**
   * Events of batches that share one statement; they have lanes of their own. A thousand cost a fifth less in Postgres
   * than 250, and their parameters take some milliseconds to write. Two lanes: while one group is in Postgres, the next
   * is written.
   */
  batchGroupItemsMax: 1_000,
  batchLanes: 2,
  /** Rows with the same names that another one is compared with; one that is like none of them stands for itself. */
  comparedRowsMax: 8,
  /** How far the clocks of others may be ahead. */
  futureMsMax: 300_000,
  /** How long ago an event may have happened: every month of it may need a partition. */
  pastDaysMax: 1_100,
  /** Idempotency keys that one statement forgets, and how often it is looked for them. */
  purgeRowsMax: 5_000,
  purgePauseMs: 3_600_000,
  markPageRowsMax: 500,
  /** Names that occur together, of one project and hour or day; beyond it alias and origin, then all, are `(other)`. */
  combinationsMax: 1_000,
  combinationsOfDayMax: 2_000,
  /** Of all projects, hours and days that an instance remembers. */
  combinationsKnownMax: 200_000,
  /** Combinations whose digest is kept, and how long their names may be together. */
  digestsKeptMax: 1_000,
  digestedCharactersMax: 256,
  /** How long after its beginning a quarter of an hour is folded, how often it is looked for, and sums in one statement. */
  foldAfterMs: 960_000,
  foldPauseMs: 60_000,
  foldRowsMax: 5_000,
  pageItemsMax: 500,
  /** Metadata and prices that are held of a list or an export at once. One row that is larger is a page of its own. */
  pageBytesMax: 256 * 1024,
  pageOffsetMax: 1_000_000,
  cursorCharactersMax: 256,
  /** A page of a download, rendered: as NDJSON, and as what CSV is made from in one step of the event loop. */
  exportPageBytesMax: 512 * 1024,
  exportCsvPageBytesMax: 128 * 1024,
  /** Rows that are one group of a Parquet file: so much of them as NDJSON, and one page. Some milliseconds to encode. */
  parquetGroupBytesMax: 1024 * 1024,
  exportFirstRows: 64,
  exportRowsMax: 4_000,
  /** Rows that one statement of a filtered download looks at. */
  exportScanRowsMax: 50_000,
  /** Pages of one download that are read at once, and that all downloads together read ahead. */
  exportPagesAtOnceMax: 2,
  exportPagesAheadMax: 4,
  /** Names of one kind (models, origins, aliases) that stats list one by one. */
  statsNamesMax: 10_000,
  /** Combinations of names of which stats know the names, and the hours, days, weeks or months that they list. */
  statsCombinationsMax: 10_000,
  statsPartsMax: 10_000,
  /** Groups that stats list; more names are one group, `(other)`. */
  statsGroupsMax: 10_000,
  /** What one step of a statement of stats may hold without a file; two are made at once of a project. */
  statsWorkKilobytesMax: 32_768,
  /** Models that metrics name; the others are `other`. */
  countedModelsMax: 200,
  groupBytesMax: 4_194_304,
  /** So many events, or so many milliseconds, begin a group beside one that is in flight. */
  companyItemsMin: 64,
  companyMsMax: 5,
  /** How long the row of a call that was made here waits for others, if no response waits for it. */
  lingerMsMax: 25,
  queueItemsMax: 20_000,
  queueBytesMax: 67_108_864,
  /** One project alone may fill half of the queue; the other half stays for the others. */
  ownerShareMax: 0.5,
  /** A statement that has not answered after this long is taken for lost. */
  commitMsMax: 8_000,
  /** How long a lost statement's outcome is looked for. With `commitMsMax` it stays below the answer's deadline. */
  outcomeMsMax: 5_000,
  outcomePauseMs: 50,
  /** How often the partitions that are due are made, and how soon again if that fails. */
  partitionsPauseMs: 3_600_000,
  partitionsRetryMs: 10_000,
  /** Months for which partitions are made before they begin. */
  partitionMonthsAheadMin: 2,
  repriceRowsMax: 500,
  /** What is kept free in the queue for the row of a call that is being made. */
  reservedRowBytes: 2_048,
  /** How often, and how soon again, the row of such a call is submitted that the database does not take. */
  observedAttemptsMax: 30,
  observedRetryMs: 1_000,
  /** Earlier prices that are kept of an event. */
  earlierPricesMax: 10,
} as const
