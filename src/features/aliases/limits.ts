/** Every limit of the alias feature, with its unit. */
export const ALIAS_LIMITS = {
  nameCharactersMax: 255,
  modelCharactersMax: 255,
  modelsPerAliasMax: 32,
  metadataBytesMax: 65_536,
  constraintsBytesMax: 8_192,
  /** Warnings that the response to many bindings shows. */
  warningsShownMax: 20,
  /** Metadata of 64 KiB and constraints of 8 KiB with every character escaped, and the names. */
  bindingBodyBytesMax: 524_288,
  itemsPerBulkMax: 5_000,
  /** Up to so many are written or deleted by a statement that is planned once. */
  preparedBindingsMax: 16,
  /** Names that are looked up one by one where aliases are deleted; for more, all of the project's are read once. */
  namesSearchedMax: 100,
  aliasesPerProjectMax: 20_000,
  /** Of all aliases of a project: metadata and constraints as Postgres writes them, and profiles, names and models. */
  metadataBytesPerProjectMax: 64 * 1024 * 1024,
  namesBytesPerProjectMax: 8 * 1024 * 1024,
  /** Models of a profile that are looked at together, and what they may hold; aliases that are named with each. */
  boundModelsMax: 20_000,
  boundBytesMax: 4 * 1024 * 1024,
  aliasesShownMax: 20,
  /** What is held of a list at once. One alias that is larger is a page of its own. */
  pageAliasesMax: 500,
  pageBytesMax: 128 * 1024,
  snapshotProjectsMax: 10_000,
  /** Each profile may be kept in three ways: resolved, listed, and as its lockfile. */
  snapshotsPerProjectMax: 128,
  snapshotCharactersMax: 64 * 1024 * 1024,
  /** What one project's snapshots may take of that; a profile beyond it is read row by row, and tried again after a time. */
  snapshotProjectShareMax: 1 / 8,
  tooLargeForMs: 60_000,
  /** What is read before it is asked for: how much may wait for it, and how long each read leaves the database alone. */
  readAheadMax: 10_000,
  readAheadPauseMs: 25,
  /** What changes all the time is read ahead no more often than that. */
  readAheadAgainMs: 10_000,
  /** A list up to this size is kept as the bytes of its response; a larger one is read and streamed each time. */
  keptListBytesMax: 2 * 1024 * 1024,
  /** What an alias takes in a list beside its names and metadata, and what the place where it stands takes in memory. */
  listedBytes: 400,
  listPlaceCharacters: 100,
  /** A notification of PostgreSQL has at most 8,000 bytes. */
  announcedProfilesBytesMax: 6_000,
  noteCharactersMax: 500,
  /** Of all lockfiles that are held for the digests of the next writes. */
  lockDocumentCharactersMax: 32 * 1024 * 1024,
  loadAttemptsMax: 10,
  loadMsMax: 5_000,
  /** Base64url of two names, each character of which may be escaped. */
  cursorCharactersMax: 4_200,
  /** Names that are listed for another feature at once. */
  boundNamesMax: 1_000,
} as const
