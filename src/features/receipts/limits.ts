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
  queueReceiptsMax: 8_000,
  queueBytesMax: 64 * 1024 * 1024,
  /** The part of the queue that one project may fill. */
  queueShareMax: 0.5,
  keysListedMax: 1_000,
  /** Receipts that name an unknown key make an instance look for new keys at most this often. */
  keysReloadMsMin: 1_000,
  /** How long that look may take: until then the request that caused it waits. */
  keysReadMsMax: 2_000,
  /** How long a client may keep a public key's document. */
  keyCacheSeconds: 60,
  /** Members that an answer names as ignored, and characters of each name. */
  ignoredMembersMax: 16,
  ignoredNameCharsMax: 32,
} as const
