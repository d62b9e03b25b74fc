import { type ClientOptions, createClient, type Sql, type Statements } from '../client.js'
import { DUMP_LIMITS } from './limits.js'

/** A transaction on a connection of its own, with no limit on how long its statements and its pauses take. */
export type LongTransaction = {
  readonly sql: Statements
  /** Cuts the connection: what is under way ends on both sides, and nothing of it is kept. */
  cut(): Promise<void>
}

export type DirectClient = Omit<ClientOptions, 'connectionsMax'>

/** Rows as text mean the same to every server, whatever its own settings are. */
const RENDERING = {
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
}

/** The limits of other connections. `transaction_timeout` is new in PostgreSQL 17. */
const LIMITS = ['statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'] as const

/** Runs `work` on a client of its own, with one connection, around any pooler. */
export async function withClient<T>(
  direct: DirectClient,
  applicationName: string,
  work: (client: Sql) => Promise<T>,
): Promise<T> {
  const client = createClient({ ...direct, connectionsMax: 1, applicationName, statementMsMax: 0 })
  try {
    return await work(client)
  } finally {
    await client.end({ timeout: 5 })
  }
}

/**
 * Runs `work` in one transaction (`mode`: what stands behind BEGIN). No query comes before it, so a snapshot is taken
 * as late as `work` takes it. When `work` fails the connection is cut: a server in the middle of a COPY would hear of
 * no rollback.
 */
export async function inLongTransaction<T>(
  direct: DirectClient,
  applicationName: string,
  mode: string,
  work: (transaction: LongTransaction) => Promise<T>,
): Promise<T> {
  return await withClient(direct, applicationName, async (client) => {
    const settings = { ...RENDERING, lock_timeout: String(DUMP_LIMITS.lockWaitMsMax), ...(await noLimits(client)) }
    const cut = () => client.end({ timeout: 0 })
    let working: Promise<T> | undefined
    try {
      return (await client.begin(mode, async (sql) => {
        for (const [name, value] of Object.entries(settings)) await sql.unsafe(`set local ${name} = '${value}'`)
        working = work({ sql, cut })
        working.catch(cut)
        return await working
      })) as T
    } catch (error) {
      // A lost connection is known before `work` has wound up, and `work` may know better why it failed.
      await working
      throw error
    }
  })
}

/** The limits that this server knows, switched off. */
async function noLimits(client: Sql): Promise<Record<string, string>> {
  const known = await client<{ name: string }[]>`
    select name from pg_settings where name = any(string_to_array(${LIMITS.join()}, ','))`
  return Object.fromEntries(known.map(({ name }) => [name, '0']))
}
