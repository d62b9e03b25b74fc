/** Every limit of the commands, with its unit. */
export const CLI_LIMITS = {
  /** Shorter ones would hide ordinary words. */
  secretCharactersMin: 4,
  postgresVersionMin: 150_000,
  /** Of an address that is given on the command line. */
  portMax: 65_535,
  /** Shorter than a check may take, so that the answer says which database it was. */
  databaseAnswerMsMax: 4_500,
  echoMsMax: 2_000,
  clockSkewMsMax: 2_000,
  /** Shorter than a check may take, so that its own words are heard. */
  registryFetchMsMax: 4_000,
  freeShareMin: 0.05,
  clusterAnswerMsMax: 2_000,
  /** Loading the program opens some 170 files at once; the pool of connections and a few clients come after that. */
  openFilesMin: 256,
  checkMsMax: 5_000,
  /** Of keys, a policy, a proof, a kept checkpoint: the largest of them is a note with all its signatures. */
  pinFileBytesMax: 1_048_576,
  /** An audit package of some two million receipts; it is read in constant memory. */
  auditFileBytesMax: 4_294_967_296,
  pageRows: 1_000,
  pagesMax: 1_000,
  /** A terminal's Ctrl-C arrives twice when npm started the program: what comes this soon is the same request. */
  sameRequestMs: 1_000,
  /** How long a service that was closed may be kept from ending. */
  lingerMsMax: 500,
  terminalProgressMs: 200,
  lineProgressMs: 5_000,
  /** Of a socket's name: less than any system has room for. */
  socketNameBytesMax: 100,
  /** Three lines a log. */
  witnessStateBytesMax: 1_048_576,
  /** Submissions that were read and wait for their answer. */
  witnessSubmissionsMax: 64,
  /** Each may hold the body of one submission, of a quarter of a megabyte. */
  witnessConnectionsMax: 512,
  witnessConnectionsPerAddressMax: 128,
  /** From the first byte of a submission to its last. */
  witnessRequestMsMax: 10_000,
  witnessDrainMsMax: 5_000,
  witnessRefusalLinesPerSecondMax: 10,
  /** One request to a log, its body included, how often it is made and how long is waited between. */
  logRequestMsMax: 15_000,
  logAttemptsMax: 3,
  logRetryPauseMs: 500,
  /** A log may ask for a longer wait (429, 503), up to this. */
  logRetryMsMax: 60_000,
  /** A checkpoint that is behind one that is known: caches may hold it for a few seconds. */
  staleAttemptsMax: 4,
  stalePauseMs: 750,
  /** How long ago witnesses may have seen the log, if its newest checkpoint is younger than that. */
  witnessedAgeMsMax: 600_000,
  /** Far more than 256 entries of 32 bytes. */
  bundleBytesMax: 1_048_576,
  bundlesAheadMax: 8,
  /** Entries after which the derivation is written down. */
  derivedSaveRows: 16_384,
  /** Seven tiles in base64. */
  derivedBytesMax: 131_072,
  /** How often it is asked how far a repricing is. */
  repricePollMs: 500,
  /** One provider's list of models. */
  catalogFetchMsMax: 15_000,
  /** Of `router bench`: calls of each way, calls at a time, seconds for all of them, and how long one of them may take. */
  benchCallsMax: 1_000_000,
  benchCallsDefault: 2_000,
  benchCallsAtOnceMax: 1_000,
  benchCallsAtOnceDefault: 16,
  benchSecondsMax: 3_600,
  benchSecondsDefault: 60,
  benchCallMsMax: 10_000,
  /** Until its processes answer (the first start of a database takes some seconds), and until they have stopped. */
  benchStartMsMax: 120_000,
  benchStopMsMax: 20_000,
  benchSaidCharactersMax: 16_384,
  monitorPauseMsMin: 1_000,
  monitorPauseMsMax: 86_400_000,
} as const
