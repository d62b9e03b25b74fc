/** Every limit of the sync feature, with its unit. The number of watchers is a setting (`LLMRING_WATCHERS_MAX`). */
export const SYNC_LIMITS = {
  /** What one project may have of all watchers: the others find room, whatever one does. */
  projectShareMax: 0.9,
  profileCharactersMax: 255,
  waitSecondsMax: 60,
  /** For the longest wait and the reads around it. */
  responseMsMax: 85_000,
  /** The shortest wait, as a share of the one that was asked for: those who came together do not come back together. */
  waitShareMin: 0.85,
  /** Steps between the two: waits of the same length share a timer. */
  waitStepsMax: 16,
  /** What is read at once: of changes as many rows, and bytes as Postgres holds them. */
  pageChangesMax: 500,
  pageBytesMax: 32 * 1024,
  /** Characters of one revision that are sent as one event; more come as several, which resume before the revision. */
  eventCharactersMax: 8 * 1024 * 1024,
  readMsMax: 5_000,
  /** Behind how many revisions one who follows is still told each: as many changes and bytes at most, else the last state. */
  eachRevisionsMax: 100,
  eachChangesMax: 200,
  eachBytesMax: 256 * 1024,
  /** Reads of changes at a time, of all projects and of one, and how long another one waits for its turn. */
  readsAtOnceMax: 6,
  readsOfProjectAtOnceMax: 4,
  readWaitMsMax: 10_000,
  /** Watchers that are told something before everything else gets a turn. */
  toldAtOnceMax: 8,
  /** How long a reader may leave an event untaken once the next one is due. */
  lagMsMax: 5_000,
  /** How often watched heads are asked for while messages may be missing, and failed reads are tried again. */
  lookMs: 1_000,
  /** Of these looks, how many go without asking for the watchers' keys if no message named one. */
  looksPerKeyCheckMax: 30,
  headsMsMax: 5_000,
  /** After how long a reader shall come back once its stream has ended: at random between the two. */
  retryMsMin: 1_000,
  retryMsMax: 4_000,
  /** After how long one that found no room shall try again, at random up to this. */
  fullRetrySecondsMax: 30,
} as const
