/** Every limit of the client, with its unit. */
export const CLIENT_LIMITS = {
  /** One ordinary request, its body included. */
  requestMsMax: 10_000,
  /** Profiles that one client follows at a time: each is a connection. */
  profilesMax: 16,
  /** A stream says something at once (`retry:`); what says nothing until then is held back by something on the way. */
  streamFirstBytesMsMax: 10_000,
  /** The server's heartbeat comes every 15 seconds; three of them lost, the connection is. */
  streamSilenceMsMax: 45_000,
  /** One event: the aliases of a large project come in pages below it. */
  eventCharactersMax: 64 * 1024 * 1024,
  /** How long a server holds a poll that has nothing to tell. */
  pollWaitSeconds: 25,
  /** Between polls of a server that knows only lists. */
  listPauseMs: 15_000,
  /** After how long streams are tried again, if polls had to do. */
  streamRetryMs: 300_000,
  /** After how long a server that had no room for one more watcher is asked again. */
  busyMs: 60_000,
  backoffFirstMs: 500,
  backoffMsMax: 30_000,
  /** How long the model that a wildcard stands for is remembered while the alias stays as it is. */
  wildcardMsMax: 60_000,
  /** How long the registry's models of a provider are used before they are asked for again. */
  registryMsMax: 3_600_000,
  /** After how long a registry that did not answer is asked again. */
  registryRetryMs: 60_000,
  registryBytesMax: 16 * 1024 * 1024,
  /** How often a lockfile that others change at the same moment is read again, to be written. */
  lockfileAttemptsMax: 5,
  /** A lockfile on disk. */
  lockfileBytesMax: 4 * 1024 * 1024,
  /** Models that cost more are not suggested; USD per million input tokens. */
  suggestedInputUsdMax: 3,
  /** Wildcards that are remembered. */
  wildcardsMax: 1_000,
} as const

/** The same, of which a test takes shorter ones. */
export type ClientLimits = { readonly [name in keyof typeof CLIENT_LIMITS]: number }
