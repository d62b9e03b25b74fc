/** Every bound of dumps and restores, with its unit. The data itself has none: it streams. */
export const dumpLimits = {
  /** What is held of a table at once, and the largest frame that a restore accepts. */
  frameBytesMax: 1024 * 1024,
  /** How long a dump or a restore waits for a lock that somebody else's change of a table holds. */
  lockWaitMsMax: 10_000,
} as const
