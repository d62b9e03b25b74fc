import { type Repair, repairsOf } from './repairs.js'

const repair = repairsOf('connection.js')

/**
 * The queries of a connection: the one that runs (`query`) and those sent behind it (`sent`), answered in that order.
 */
export const QUERY_REPAIRS: readonly Repair[] = [
  repair(
    'rows-after-an-error',
    "After an error in the middle of a result the next result's rows began behind as many empty places.",
    {
      find: `
    query = results = errorResponse = null
    result = new Result()
    connectTimer.cancel()`,
      replace: `
    query = results = errorResponse = null
    result = new Result()
    rows = 0
    connectTimer.cancel()`,
    },
  ),
  repair(
    'query-that-cannot-be-built',
    'A query whose parameters cannot be sent rejected the query that ran before it, took the answer of the one behind it, and shifted all answers from there on.',
    {
      find: `
      sent.length === 0 && write(Sync)
      errored(error)`,
      replace: `
      write(Sync)
      queryError(q, error)`,
    },
  ),
  repair(
    'cancelled-before-it-was-sent',
    'A query cancelled while its connection was being made, or while it waited in its transaction, was skipped without an answer: the connection waited for ever.',
    {
      find: `
    if (q.cancelled)
      return
`,
      replace: '',
    },
    {
      find: `
      build(q)
      return write(`,
      replace: `
      if (q.cancelled)
        throw Errors.generic('57014', 'canceling statement due to user request')

      build(q)
      return write(`,
    },
  ),
  repair(
    'cancelled-in-the-pipeline',
    'A query cancelled while it was sent but not yet running gave its answer to the one behind it. It now runs on: a cancel request would hit whatever runs when the server reads it.',
    {
      find: `
    while (sent.length && (query = sent.shift()) && (query.active = true, query.cancelled))
      Connection(options).cancel(query.state, query.cancelled.resolve, query.cancelled.reject)
`,
      replace: `
    sent.length && (query = sent.shift(), query.active = true)
`,
    },
  ),
  repair(
    'begin-in-a-full-pipeline',
    "A BEGIN that filled the connection's pipeline or its socket's buffer did not reserve the connection: the statements of every caller ran in that transaction, which was never committed.",
    {
      find: `return write(toBuffer(q))
        && !q.describeFirst`,
      replace: `const written = write(toBuffer(q))
      if (q.options.onexecute)
        return q.options.onexecute(connection)

      return written
        && !q.describeFirst`,
    },
  ),
  repair(
    'parameters-serialised-twice',
    'A statement that was prepared anew, because the server no longer knew it, sent its parameters serialised twice: wrong bytes and JSON were stored.',
    { find: 'parameters[i] = x = type in options.serializers', replace: 'x = type in options.serializers' },
  ),
]
