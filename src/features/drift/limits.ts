/** Every limit of drift, with its unit. How many models are looked at is the aliases' own limit. */
export const DRIFT_LIMITS = {
  profileCharactersMax: 255,
  /** Names that the registry does not have, as a warning shows them. */
  unknownShownMax: 20,
  retrySeconds: 5,
} as const
