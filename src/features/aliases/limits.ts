/** Every limit of the alias feature, with its unit. */
export const ALIAS_LIMITS = {
  nameCharactersMax: 255,
  modelCharactersMax: 255,
  modelsPerAliasMax: 32,
  metadataBytesMax: 65_536,
  requiredCapabilitiesMax: 32,
  itemsPerBulkMax: 5_000,
  aliasesPerProjectMax: 20_000,
  snapshotProjectsMax: 10_000,
  snapshotProfilesPerProjectMax: 64,
  snapshotCharactersMax: 64 * 1024 * 1024,
  /** What one project's snapshots may take of that; beyond it they are answered and not kept. */
  snapshotProjectShareMax: 1 / 8,
  loadAttemptsMax: 10,
  loadMsMax: 5_000,
} as const
