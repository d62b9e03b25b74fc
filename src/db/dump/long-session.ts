import type { ReservedSql } from 'postgres'
import { invariant } from '../../platform/invariant.js'
import { type ClientOptions, createClient, reserveConnection } from '../client.js'
import { dumpLimits } from './limits.js'

/** A connection of its own, with no limit on how long its statements and transactions take. */
export type LongSession = {
  readonly sql: ReservedSql
  /** Ends the session from another connection. For when this one is busy with what nobody wants any more. */
  terminate(): Promise<void>
  /** `clean`: nothing is under way. Otherwise the connection is cut, and with it the open transaction is rolled back. */
  close(clean: boolean): Promise<void>
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

/** Connects around any pooler. The limits that other connections have (statement 30 s, idle in transaction 5 s) are off. */
export async function openLongSession(direct: DirectClient, applicationName: string): Promise<LongSession> {
  const client = createClient({ ...direct, connectionsMax: 1, applicationName })
  try {
    const sql = await reserveConnection(client)
    const settings = { ...RENDERING, lock_timeout: String(dumpLimits.lockWaitMsMax) }
    for (const [name, value] of Object.entries(settings)) await sql`select set_config(${name}, ${value}, false)`
    // Whatever limits this server knows: `transaction_timeout` is new in PostgreSQL 17.
    const [self] = await sql<{ pid: number }[]>`
      select pg_backend_pid() as pid, count(set_config(name, '0', false)) from pg_settings
      where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`
    invariant(self, 'a session has a process')
    return {
      sql,
      terminate: () => terminate(direct, self.pid),
      close: async (clean) => {
        if (clean) sql.release()
        await client.end({ timeout: clean ? 5 : 0 })
      },
    }
  } catch (error) {
    await client.end({ timeout: 0 })
    throw error
  }
}

async function terminate(direct: DirectClient, pid: number): Promise<void> {
  const other = createClient({ ...direct, connectionsMax: 1 })
  try {
    await other`select pg_terminate_backend(${pid})`
  } finally {
    await other.end({ timeout: 0 })
  }
}
