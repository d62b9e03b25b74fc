/** Every limit of the composed service, with its unit. */
export const SERVICE_LIMITS = {
  /** A service gives a database that is still starting this long, and asks it this often. */
  firstAnswerMsMax: 30_000,
  firstAnswerPauseMs: 1_000,
  /** How long `/readyz` waits for the database. */
  healthMsMax: 2_000,
} as const
