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
  loadAttemptsMax: 10,
} as const
