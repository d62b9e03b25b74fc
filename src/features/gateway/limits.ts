/** Every limit of the gateway, with its unit. What the configuration may change is a default here. */
export const GATEWAY_LIMITS = {
  configBytesMax: 262_144,
  /** Of YAML: words, indents, line ends and signs. A line has about five. */
  configTokensMax: 100_000,
  /** Of a catalogue: its models, and the names of one. */
  catalogModelsMax: 20_000,
  catalogNamesMax: 100,
  providersMax: 100,
  modelsPerProviderMax: 500,
  faultsShownMax: 100,
  /** Of an answer whose call does not say how long it may get, for comparing costs. */
  outputTokensDefault: 500,
  /** Backends that an error names. */
  refusalsShownMax: 5,
  /** Of a request's body: images stand in it as base64. */
  bodyBytesMax: 33_554_432,
  /** How long an operator's hook may take to choose. */
  hookMsMax: 50,
  /** Of a sidecar that scores prompts: how long it may take, what is read of its answer, what it is sent, calls at a time. */
  sidecarMsMax: 50,
  sidecarBytesMax: 4_096,
  sidecarPromptCharactersMax: 16_000,
  sidecarCallsMax: 100,
  /** Of what feedback taught: how old it may be in memory, of how many projects, how long the database is waited for. */
  thresholdFreshMs: 2_000,
  thresholdProjectsMax: 10_000,
  thresholdMsMax: 1_000,
  /** Of what projects set of their calls: how old it may be in memory, of how many, how long the database is waited for. */
  settingsFreshMs: 2_000,
  settingsProjectsMax: 10_000,
  settingsMsMax: 2_000,
  /** Open breakers that instances tell one another of: how many, for how long the last is kept, how often they are asked for. */
  hintsMax: 1_000,
  hintsKeptMs: 3_600_000,
  hintsPauseMs: 1_000,
  /** The days that the sums of calls are of. */
  statsDays: 30,
  /** Of a workflow, and what `{{input}}` stands for in it. */
  workflowBytesMax: 262_144,
  workflowTokensMax: 8_000,
  workflowInputCharactersMax: 500_000,
  messagesMax: 20_000,
  modelCharactersMax: 255,
  /** Of a call, from its first attempt to the end of its answer. */
  callMsMax: 600_000,
  /** Until the head of an upstream's answer, of a stream and of an answer that comes whole. */
  streamHeadMsMax: 60_000,
  answerHeadMsMax: 300_000,
  /** Between two pieces of an upstream's answer. */
  idleMsMax: 60_000,
  connectMsMax: 5_000,
  attemptsMax: 6,
  /** Calls under way, of all projects; beyond it 503. */
  callsInFlightMax: 2_000,
  /** Of an upstream's answer that comes whole, of one event of a stream, and of the text of an error. */
  answerBytesMax: 33_554_432,
  /** Of all answers that are being read whole together; small ones are read on beyond it. */
  answersBytesMax: 67_108_864,
  answerSmallBytes: 1_048_576,
  /** Of what an upstream says, once it is longer than so much. */
  answerPlainCharacters: 65_536,
  answerDepthMax: 128,
  answerValuesMax: 1_000_000,
  eventBytesMax: 4_194_304,
  /** Of a stream, without an event that holds data: what one event is put together of, and what is no event. */
  eventLinesMax: 131_072,
  errorBytesMax: 16_384,
  errorCharactersMax: 1_000,
  /** Shorter words of a configured header are no secrets, and are not hidden in an error. */
  secretCharactersMin: 8,
  /** How long, and how far, an answer is read on for its usage after its caller left. */
  drainMsMax: 5_000,
  drainBytesMax: 1_048_576,
  /** How long a stream whose answer said why it ended may be silent before it is over: its usage may still come. */
  saidMsMax: 5_000,
  /** How long, and how far, a stream that said that it is over is read on for the end of its connection's response. */
  restMsMax: 1_000,
  restBytesMax: 65_536,
  /** When the service stops: how long beyond that calls are waited for, and how often it is looked. */
  closeMsMax: 1_000,
  closePauseMs: 20,
  /** The longest wait that is asked of a client library, which has no limit of its own. */
  retryAfterSecondsMax: 30,
  /** What is taken of an upstream's answer before it is read. */
  aheadBytesMax: 65_536,
  /** Pieces of an answer that are kept as they come, and the blocks into which those behind them are copied. */
  piecesAsTheyComeMax: 8,
  blockBytes: 65_536,
  /** What is read of a stream of events before everything else may get a turn on the event loop. */
  turnBytes: 16_384,
  /** Events that are held back until the first content, so that until then another backend can be asked. */
  heldEventsMax: 16,
  echoTokensMax: 4_096,
  /** Of the answers that are kept in memory, of all projects. */
  cacheBytesMax: 67_108_864,
  /** Of one answer that is kept; a longer one is not. */
  cachedCharactersMax: 1_048_576,
  cacheTtlSecondsMax: 86_400,
  /** Callers that wait for, or read, a call of another one like theirs. */
  sharedCallersMax: 20_000,
  /** Of a stream that several read: how far the slowest may be behind. */
  tapeCharactersMax: 2_097_152,
} as const
