/** Every limit of budgets, with its unit. */
export const BUDGET_LIMITS = {
  bodyBytesMax: 262_144,
  budgetsPerProjectMax: 50,
  nameCharactersMax: 255,
  zoneCharactersMax: 64,
  amountUsdMax: 1_000_000_000_000,
  thresholdsMax: 10,
  thresholdPercentMax: 1_000,
  /** How often an instance looks for usage that was recorded since it was added up last, and how many projects at a time. */
  checkPauseMs: 3_000,
  checkPageProjectsMax: 500,
  /** What was added up longer ago is added up again, whatever is known of it. */
  checkedMsMax: 3_600_000,
  /** Events of a period that arrive so long after its end still count for it. */
  lateMsMax: 3_600_000,
  /** How often the metrics are counted. */
  countPauseMs: 60_000,
  /** Crossings of periods that ended longer ago are forgotten. */
  crossingsKeptMs: 100 * 86_400_000,
} as const
