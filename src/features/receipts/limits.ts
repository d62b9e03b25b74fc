/** Every limit of the receipts feature, with its unit. What a receipt itself may hold is in `core/proof`. */
export const RECEIPT_LIMITS = {
  /** A receipt of 64 KiB with every character escaped, and some whitespace. */
  bodyBytesMax: 524_288,
  pageReceiptsDefault: 100,
  pageReceiptsMax: 1_000,
  /** Of receipts that are held of a list or an export at once. One that is larger is a page of its own. */
  pageBytesMax: 256 * 1024,
  /** A deep offset reads every row that it skips. */
  offsetReceiptsMax: 10_000_000,
  /** Signed in one turn of the event loop. */
  groupReceiptsMax: 250,
  groupBytesMax: 4 * 1024 * 1024,
  /** Groups in flight at a time: while one waits for the disk, the next one is filled. */
  groupLanes: 2,
  /** So many receipts, or so many milliseconds, begin a group beside one that is in flight. */
  companyReceiptsMin: 64,
  companyMsMax: 5,
  /** A group that has not been answered after this long is taken for lost: the lane goes on with the next one. */
  commitMsMax: 8_000,
  /** How long a project rests whose chain another instance has locked; after so many rests its lock is waited for. */
  chainRestMs: 5,
  chainRestsMax: 3,
  /** How long a statement waits for that lock. */
  chainLockMsMax: 1_000,
  /** How long a receipt may go back to the queue. With `commitMsMax` it stays below the response's deadline. */
  chainHeldMsMax: 5_000,
  /** Projects of which an instance remembers that they have a chain. */
  chainsKnownMax: 10_000,
  /** How long a client may wait for a receipt to be logged, and its whole response. */
  waitSecondsMax: 60,
  waitResponseMsMax: 85_000,
  /** Places of a chain that are read and proved at once for an audit package. */
  auditPageMax: 250,
  queueReceiptsMax: 8_000,
  queueBytesMax: 64 * 1024 * 1024,
  /** The part of the queue that one project may fill. */
  queueShareMax: 0.5,
  keysListedMax: 1_000,
  /** Receipts that name an unknown key make an instance look for new keys at most this often. */
  keysReloadMsMin: 1_000,
  /** How long that look may take: until then the request that caused it waits. */
  keysReadMsMax: 2_000,
  /** Keys that one project may register for receipts of others, and those that an instance keeps checked. */
  clientKeysMax: 16,
  clientKeysCachedMax: 1_000,
  clientKeyBodyBytesMax: 16_384,
  labelCharactersMax: 255,
  /** How long a client may keep a public key's document. */
  keyCacheSeconds: 60,
  /** Members that an answer names as ignored, and characters of each name. */
  ignoredMembersMax: 16,
  ignoredNameCharsMax: 32,
} as const

/** Every limit of batch receipts, with its unit. */
export const BATCH_LIMITS = {
  membersMax: 100_000,
  /** Ids in one request; each is looked up. */
  logIdsMax: 10_000,
  /** Up to so many members, their ids stand in the receipt itself. */
  logIdsShownMax: 64,
  bodyBytesMax: 524_288,
  /** Rows that are read, hashed and written at a time. */
  pageRowsMax: 1_000,
  /** Rows that one preview or list looks at. */
  walkRowsMax: 200_000,
  /** How long the making of one may take, reads and writes of all its members among it. */
  generateMsMax: 90_000,
  /** How often it begins anew because another batch was sealed meanwhile. */
  triesMax: 4,
  /** Beside the time that late calls have: how long one may be under way to the database. */
  settledAfterMs: 120_000,
  /** By how much the clocks of two instances differ, and how long a call is under way to the database, together. */
  arrivedAfterMs: 3_600_000,
  /** After so many pages of calls that are all certified, that is written down. */
  settlePagesMin: 50,
  /** Members of a batch that was never sealed are swept after so long, so many batches at a time. */
  leftoverAfterMs: 3_600_000,
  leftoversAtOnceMax: 4,
  /** Names of one kind that are told apart while summing up, and in the receipt. */
  namesTalliedMax: 10_000,
  summaryNamesMax: 100,
  /** Of one table of names in a receipt, each with its sums. */
  summaryBytesMax: 14_336,
  summaryPartBytes: 112,
  registryVersionsMax: 64,
  registryVersionCharactersMax: 255,
  descriptionCharactersMax: 1_024,
  tagsMax: 16,
  tagCharactersMax: 64,
  pageLogsDefault: 100,
  pageLogsMax: 1_000,
  /** Tiles of 8 KiB that an export holds at once. */
  exportTilesMax: 24,
  /** The beginning of the year 10000, after which nothing is logged. */
  timeMsMax: 253_402_300_800_000,
  offsetLogsMax: 1_000_000,
} as const
