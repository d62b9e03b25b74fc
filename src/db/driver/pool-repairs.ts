import { type Repair, repairsOf } from './repairs.js'

const repair = repairsOf('index.js')

/**
 * A client: its connections, the queries that wait for one (`queries`), and transactions, each with a queue of its own.
 */
export const POOL_REPAIRS: readonly Repair[] = [
  repair(
    'transaction-without-its-connection',
    "The statements of a transaction that had lost its connection, or was over, ran on that connection all the same: in the next session, or inside another caller's transaction. Those that waited in its queue were never rejected.",
    {
      find: `
  let ending = false
`,
      replace: `
  let ending = false

  const gone = () => Errors.connection('CONNECTION_CLOSED', options)
`,
    },
    {
      find: `
    let savepoints = 0
      , connection`,
      replace: `
    let savepoints = 0
      , over = false
      , owner
      , connection`,
    },
    {
      find: `
    } catch (error) {
      throw error
    }

    async function scope(`,
      replace: `
    } finally {
      over = true
      while (queries.length)
        queries.shift().reject(gone())
    }

    async function scope(`,
    },
    {
      find: `
        q.catch(e => uncaughtError || (uncaughtError = e))
`,
      replace: `
        q.catch(e => uncaughtError || (uncaughtError = e))
        if (over || c.reserved !== owner)
          return q.reject(gone())

`,
    },
    { find: 'c.reserved = () => queries.length', replace: 'owner = c.reserved = () => queries.length' },
  ),
  repair(
    'commit-that-rolled-back',
    'A COMMIT that the server answers with ROLLBACK, because a statement had failed meanwhile, was reported as a success.',
    {
      find: `
          : await sql\`commit\`
      }`,
      replace: `
          : committed(await sql\`commit\`)
      }`,
    },
    {
      find: `
    function onexecute(c) {`,
      replace: `
    function committed({ command }) {
      if (command !== 'COMMIT')
        throw Errors.generic('40000', 'The transaction was rolled back')
    }

    function onexecute(c) {`,
    },
  ),
  repair(
    'cancel-that-fails',
    'A cancel request that could not be sent was an unhandled rejection, which ends the process.',
    {
      find: 'Connection(options).cancel(query.state, resolve, reject)',
      replace: 'Connection(options).cancel(query.state, resolve, resolve)',
    },
  ),
  repair(
    'end-leaves-queries-behind',
    'Queries that waited for a connection when the client was ended opened connections anew, after `end()` had resolved, which were never closed.',
    {
      find: `.then(() => clearTimeout(timer))`,
      replace: `.then(() => (clearTimeout(timer), new Promise(destroy)))`,
    },
  ),
  repair(
    'waiting-for-ever',
    'A query waited for a connection for any time, and nothing outside of the driver could tell. The client is told of each query that no open, idle connection takes at once.',
    {
      find: `
    if (open.length)
      return go(open.shift(), query)`,
      replace: `
    if (open.length)
      return go(open.shift(), query)

    options.onquery && options.onquery(query)`,
    },
    {
      find: `
    onclose         : o.onclose,`,
      replace: `
    onclose         : o.onclose,
    onquery         : o.onquery,`,
    },
  ),
  repair('silence-for-ever', 'The option of the repair of that name in connection.js.', {
    find: `
    onparameter     : o.onparameter,`,
    replace: `
    onparameter     : o.onparameter,
    answer_timeout  : o.answer_timeout,`,
  }),
  repair(
    'pool-that-tells-nothing',
    'No number said how many connections were busy and how many queries waited for one, so a pool that was too small could not be told from a slow server.',
    {
      find: `
    get parameters() { return options.parameters },`,
      replace: `
    get parameters() { return options.parameters },
    load: () => ({
      idle: open.length,
      busy: busy.length + full.length + reserved.length,
      connecting: connecting.length,
      waiting: queries.length
    }),`,
    },
  ),
]
