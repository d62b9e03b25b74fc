/** Every bound of dumps and restores, with its unit. The data itself has none: it streams. */
export const DUMP_LIMITS = {
  /** The longest line that a restore accepts, except rows, which are never held as lines. */
  documentBytesMax: 1024 * 1024,
  /** Of one table: a restore makes a partition for each before it has read a row, and keeps them if it fails then. */
  monthsMax: 1_200,
  /** How much of the unpacked dump is read at once. */
  pieceBytes: 64 * 1024,
  /** How long a dump or a restore waits for a lock that another session's change of a table holds. */
  lockWaitMsMax: 10_000,
} as const
