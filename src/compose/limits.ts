/** Every limit of the composed service, with its unit. */
export const SERVICE_LIMITS = {
  /** A service gives a database that is still starting this long, and asks it this often. */
  firstAnswerMsMax: 30_000,
  firstAnswerPauseMs: 1_000,
  /** How long `/readyz` waits for the database. */
  healthMsMax: 2_000,
  /** Of a file that is named in the settings, before it is read. */
  configFileBytesMax: 1_048_576,
  /** Of a catalogue of models: how large its file is, how long an attempt to fetch it takes, and how many there are. */
  catalogBytesMax: 8_388_608,
  catalogFetchMsMax: 10_000,
  catalogAttemptsMax: 3,
  catalogRetryPauseMs: 500,
} as const
