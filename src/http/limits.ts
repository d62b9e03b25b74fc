/** Every limit of the HTTP door, with its unit. The body's default limit is a setting (`LLMRING_BODY_BYTES_MAX`). */
export const HTTP_LIMITS = {
  headersBytesMax: 16_384,
  headersMsMax: 10_000,
  requestMsMax: 60_000,
  keepAliveMs: 75_000,
  connectionsMax: 10_000,
  requestsInFlightMax: 4_000,
  answerMsMax: 20_000,
  /** Of all bodies that are being read, together. */
  bodyBytesInFlightMax: 268_435_456,
  jsonDepthMax: 32,
  keyCharactersMax: 255,
  requestIdCharactersMax: 128,
} as const
