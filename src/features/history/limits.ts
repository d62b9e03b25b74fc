/** Every limit of the history feature, with its unit. */
export const HISTORY_LIMITS = {
  pageChangesMax: 200,
  pageChangesDefault: 50,
  /** What is held of a page at once. One change that is larger is a page of its own. */
  pageBytesMax: 256 * 1024,
  /** Metadata, before and after, of all that one request may change. */
  changedMetadataBytesMax: 16 * 1024 * 1024,
  aliasesPerPromotionMax: 5_000,
  nameCharactersMax: 255,
  cursorCharactersMax: 4_200,
  bodyBytesMax: 2 * 1024 * 1024,
} as const
