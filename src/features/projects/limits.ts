/** Every limit of the projects feature, with its unit. */
export const PROJECT_LIMITS = {
  nameCharactersMax: 255,
  /** A name and a role. */
  bodyBytesMax: 16_384,
} as const
