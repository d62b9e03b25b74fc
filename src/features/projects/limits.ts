/** Every limit of the projects feature, with its unit. */
export const PROJECT_LIMITS = {
  nameCharactersMax: 255,
  /** A name and a role. */
  bodyBytesMax: 16_384,
  /** How often the leftovers of erased projects are deleted. */
  sweepPauseMs: 60_000,
  /** Rows that one statement of an erasure deletes. */
  eraseChunkRowsMax: 5_000,
  /**
   * An authenticated write may land this long after its key was revoked; a sweep that began later than this is the
   * last.
   */
  lastSweepAfterSeconds: 300,
  /** Rows of an export that are asked for at once: first these, then twice what came. */
  exportFirstRows: 16,
  exportRowsMax: 500,
  keysPerProjectMax: 1_000,
  findKeyMsMax: 5_000,
  buriedPerSweepMax: 1_000,
  knownKeysMax: 10_000,
  unknownKeysMax: 10_000,
} as const
