/** Every limit of the lockfile feature, with its unit. What one lockfile may hold is said by the format's reader. */
export const LOCKFILES_LIMITS = {
  bodyBytesMax: 1024 * 1024,
  nameCharactersMax: 255,
  digestCharacters: 64,
  loadMsMax: 5_000,
  /** A lockfile of so many bytes is kept in memory; a larger one is read each time. */
  keptBytesMax: 2 * 1024 * 1024,
  /** What a binding takes in memory beside its texts, about. */
  bindingBytes: 200,
} as const
