/** What one lockfile may hold. Readers take other numbers, too: a command line may read a larger file than a server. */
export const LOCKFILE_LIMITS = {
  textCharactersMax: 1024 * 1024,
  /** Values of a JSON file. */
  parseCostMax: 150_000,
  /**
   * Tables, names, dates and values of a TOML file, weighed by what they cost to read, which holds the event loop: 5,000
   * bindings, 3,000 with constraints, 15,000 names in one table, or 0.05 s. What is larger can be sent as JSON.
   */
  tomlCostMax: 125_000,
  /** Tables and arrays open at once: those that a constraint may have elsewhere (32), and the five around it. */
  nestingLevelsMax: 40,
  profilesMax: 1_000,
  /** Of all profiles together. */
  bindingsMax: 20_000,
  modelsPerBindingMax: 32,
  nameCharactersMax: 255,
  registryVersionsPerProfileMax: 1_000,
  packagesMax: 1_000,
  /** Of one binding's constraints, and of the metadata, in their canonical spelling. */
  objectCharactersMax: 65_536,
} as const

export type LockfileLimits = { readonly [name in keyof typeof LOCKFILE_LIMITS]: number }

/** Python reads no longer integers (`sys.get_int_max_str_digits`). */
export const integerDigitsMax = 4_300
export const problemsShownMax = 20
/** Of a stranger's text within a message. */
export const quotedCharactersMax = 80
