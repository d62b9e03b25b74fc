/** Every limit of the HTTP door, with its unit. The body's default limit is a setting (`LLMRING_BODY_BYTES_MAX`). */
export const HTTP_LIMITS = {
  headersBytesMax: 16_384,
  headersMsMax: 10_000,
  /** From its first byte to the last of its body: both parts in their own times, whoever reads the body. */
  requestMsMax: 30_000,
  keepAliveMs: 75_000,
  /** How long nothing may be sent or taken on a connection, in either direction. */
  idleMsMax: 90_000,
  /** How long a connection that was refused is left open for its peer to read the response. */
  lingerMsMax: 1_000,
  /** How long a client that ended its own side is waited for while nothing goes out to it. */
  halfClosedMsMax: 2_000,
  /**
   * What all responses may hold in memory that their readers do not take, and how long one may hold it. The system
   * takes the first of each, and makes its own room in steps: a slow reader may seem to stand still for many seconds.
   */
  unreadBytesMax: 33_554_432,
  unreadMsMax: 60_000,
  unreadCheckMs: 250,
  /** How often connections are held against these times. */
  checkMs: 2_000,
  /** When draining, how long a connection may still say nothing. */
  drainSilentMsMax: 1_000,
  connectionsMax: 10_000,
  /** Unless LLMRING_CONNECTIONS_PER_ADDRESS says otherwise. */
  connectionsPerAddressMax: 2_000,
  requestsInFlightMax: 4_000,
  requestsInFlightPerAddressMax: 2_000,
  /** Requests that wait on one connection behind another one. */
  pipelinedMax: 100,
  /** From the end of the body to the response. */
  responseMsMax: 20_000,
  /** Between two signs of life of a stream of events: well below the time after which a proxy gives up. */
  heartbeatMs: 15_000,
  /** The shortest such time, as a share of it: streams that were opened together drift apart, in so many steps. */
  heartbeatShareMin: 0.9,
  heartbeatStepsMax: 16,
  bodyMsMax: 20_000,
  /**
   * Of the bodies of all requests that are not answered yet, together (more if one body may be larger than a quarter).
   */
  bodyBytesInFlightMax: 33_554_432,
  /** One caller's share of them. */
  bodyCallerShareMax: 1 / 2,
  /**
   * Larger bodies are handled in turn: so many bytes at once, of them so many in one step, after so long a wait at
   * most.
   */
  largeBodyBytes: 16_384,
  largeBytesAtOnceMax: 8_388_608,
  largeStepBytesMax: 262_144,
  largeWaitMsMax: 10_000,
  /** Reads of many rows at a time, of all callers and of one, and how long another one waits for its turn. */
  readsAtOnceMax: 6,
  readsOfCallerAtOnceMax: 3,
  readWaitMsMax: 10_000,
  /** Changes with large responses at a time, of different callers: each takes up to 40 MB while it is made. */
  changesAtOnceMax: 3,
  /** In which a large response is put together. */
  pieceBytes: 65_536,
  /** How soon turns ask again for room where unread responses take it. */
  roomAskedAgainMs: 20,
  /** How long one look at all connections serves everybody who asks for room. */
  roomHoldsMs: 5,
  /** The share of the routes that ask for no key. */
  bodyPublicShareMax: 1 / 16,
  /** Of a body on a route that asks for no key; other routes may have a limit of their own, too. */
  publicBodyBytesMax: 262_144,
  /** Of a body that is served below the router. */
  directBodyBytesMax: 65_536,
  jsonDepthMax: 32,
  /** A text of 64 KiB, the most that a receipt or an event's metadata may be, cannot hold more than these. */
  jsonValuesMax: 40_000,
  jsonNamesMax: 10_000,
  /** Of all items of a list together; each of them has the limits above. */
  jsonListValuesMax: 400_000,
  /**
   * Of a body that is passed on and not kept. A name that no object had before takes its parser 2 us, so a million of
   * them would hold the event loop for seconds; the longest conversation of 20,000 messages has 40,000 names.
   */
  passedDepthMax: 128,
  passedValuesMax: 200_000,
  passedNamesMax: 40_000,
  /** A larger one is read in steps. */
  passedStepBytes: 1_048_576,
  errorsShownMax: 20,
  /** Of an error's message, and of its pointer. */
  errorCharactersMax: 512,
  keyCharactersMax: 255,
  /** After which a probe that was told no may ask again. */
  probeRetrySeconds: 1,
  /** Log lines of refused requests; the rest of a second is summed up in one. */
  refusalLinesPerSecondMax: 10,
  requestIdCharactersMax: 128,
  refusalWindowMs: 1_000,
  /**
   * A number of fewer digits than this makes no infinity unless it has an exponent (the largest double is about
   * 1.8e308).
   */
  jsonFiniteDigitsMax: 200,
  /** A number counts as one more value for every so many characters of it: each digit takes time to read. */
  jsonValueCharacters: 32,
} as const
