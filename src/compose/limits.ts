/** Every limit of the composed service, with its unit. */
export const SERVICE_LIMITS = {
  /** A service gives a database that is still starting this long, and asks it this often. */
  firstAnswerMsMax: 30_000,
  firstAnswerPauseMs: 1_000,
  /** How long `/readyz` waits for the database. */
  healthMsMax: 2_000,
  /** Of a file that is named in the settings, before it is read. */
  configFileBytesMax: 1_048_576,
} as const
