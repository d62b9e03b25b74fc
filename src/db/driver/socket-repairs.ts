import { type Repair, repairsOf } from './repairs.js'

const repair = repairsOf('connection.js')

/** A connection and its socket, which may end at any moment: what was written, what waits, what comes next. */
export const SOCKET_REPAIRS: readonly Repair[] = [
  repair(
    'statement-without-a-socket',
    "A statement handed over after the socket's end was never rejected. After the reconnect it was answered, though it had never been sent, with no rows or with another statement's.",
    {
      find: `
    if (stream)
      return queryError(q, Errors.generic('COPY_IN_PROGRESS'`,
      replace: `
    if (!socket || !socket.writable)
      return queryError(q, Errors.connection('CONNECTION_CLOSED', options))

    if (stream)
      return queryError(q, Errors.generic('COPY_IN_PROGRESS'`,
    },
  ),
  repair(
    'write-without-a-socket',
    'What was written after the socket was gone threw a TypeError in a timer, which ends the process.',
    {
      find: `
    chunk = chunk ? Buffer.concat([chunk, x]) : Buffer.from(x)`,
      replace: `
    if (!socket || !socket.writable)
      return false

    chunk = chunk ? Buffer.concat([chunk, x]) : Buffer.from(x)`,
    },
  ),
  repair(
    'closed-keeps-the-last-session',
    'What the lost session had left over went on in the next one: unsent bytes, queries without an answer, half a result, a first query that reconnected for ever; an `end()` that waited for a query never resolved.',
    {
      find: `
    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)`,
      replace: `
    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    socket.removeListener('data', data)`,
    },
    {
      find: `
    if (initial)
      return reconnect()

    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`,
      replace: `
    const lost = Errors.connection('CONNECTION_CLOSED', options)
    errored(lost)
    while (sent.length)
      queryError(sent.shift(), lost)
    query = results = errorResponse = null
    result = new Result()
    rows = 0
    ended && (ended(), ending = ended = null)
`,
    },
  ),
  repair(
    'terminate-leaves-its-socket',
    'A connection ended while its socket was opening, or whose server no longer answers, stayed open; unsent bytes stayed for the next session.',
    {
      find: `
    clearImmediate(nextWriteTimer)
    if (socket) {`,
      replace: `
    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    connectTimer.cancel()
    if (socket) {
      setTimeout(x => x.destroy(), 1000, socket).unref()`,
    },
    {
      find: `
      socket.readyState === 'open' && socket.end(b().X().end())`,
      replace: `
      socket.readyState === 'open' ? socket.end(b().X().end()) : socket.destroy()`,
    },
  ),
  repair(
    'connect-after-terminate',
    'A connection ended before its socket was made connected all the same, and stayed.',
    {
      find: `
    connect(query) {
      initial = query`,
      replace: `
    connect(query) {
      terminated = false
      initial = query`,
    },
    {
      find: `
    terminated = false
    backendParameters = {}`,
      replace: `
    if (terminated)
      return

    backendParameters = {}`,
    },
    {
      find: `
    if (!socket)
      return

    connectTimer.start()`,
      replace: `
    if (!socket)
      return

    if (terminated)
      return socket.destroy()

    connectTimer.start()`,
    },
  ),
  repair(
    'copy-outlives-its-socket',
    "A COPY whose connection was lost wrote to the next session's socket or threw a TypeError; one that failed after its last row never finished.",
    {
      find: 'function CopyInResponse() {',
      replace: `function current() {
    return socket
  }

  function CopyInResponse(x, socket = current()) {`,
    },
    { find: 'function CopyOutResponse() {', replace: 'function CopyOutResponse(x, socket = current()) {' },
    {
      find: `
    stream && (stream.destroy(err), stream = null)`,
      replace: `
    final && (final(err), final = null)
    stream && (stream.destroy(err), stream = null)`,
    },
  ),
  repair(
    'silence-for-ever',
    'A server that went silent kept a query, its transaction and its connection for as long as TCP does: minutes, or for ever. Now at most `answer_timeout` seconds without a byte while a query runs.',
    {
      find: `
      , connectTimer = timer(connectTimedOut, options.connect_timeout)`,
      replace: `
      , connectTimer = timer(connectTimedOut, options.connect_timeout)
      , answerTimer = timer(() => socket && socket.destroy(), options.answer_timeout)`,
    },
    {
      find: ': (query = q, query.active = true)',
      replace: ': (query = q, query.active = true, answerTimer.start())',
    },
    {
      find: `
  function data(x) {`,
      replace: `
  function data(x) {
    answerTimer.start()
    parse(x)
    query || answerTimer.cancel()
  }

  function parse(x) {`,
    },
    {
      find: `
    connectTimer.cancel()

    socket.removeAllListeners()`,
      replace: `
    connectTimer.cancel()
    answerTimer.cancel()

    socket.removeAllListeners()`,
    },
  ),
]
