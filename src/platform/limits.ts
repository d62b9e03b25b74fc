/** Every limit of the log, with its unit. */
export const LOG_LIMITS = {
  /** So many bytes are written at once, or what there is after `flushMs`. */
  flushBytes: 8_192,
  flushMs: 250,
  /** Lines that wait for a slow reader; more are dropped. */
  bufferBytesMax: 8 * 1024 * 1024,
  /** How soon a full pipe is tried again. */
  retryMs: 20,
  /** At the end of the process, for a reader that takes nothing. */
  closeMsMax: 1_000,
} as const
