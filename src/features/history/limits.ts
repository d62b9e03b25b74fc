/** Every limit of the history feature, with its unit. */
export const HISTORY_LIMITS = {
  pageChangesMax: 200,
  pageChangesDefault: 50,
  /** What is held of a page at once. One change that is larger is a page of its own. */
  pageBytesMax: 256 * 1024,
  /**
   * Metadata, before and after, of all that one request may change: enough to undo what one body of 4 MiB replaced. Each
   * response shows it all, and is held until its reader took it: of twice as much, eleven unread ones took 400 MB.
   */
  changedMetadataBytesMax: 8 * 1024 * 1024,
  aliasesPerPromotionMax: 5_000,
  nameCharactersMax: 255,
  cursorCharactersMax: 4_200,
  bodyBytesMax: 2 * 1024 * 1024,
} as const
