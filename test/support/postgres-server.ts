import { createClient, type Sql } from '../../src/db/client.js'
import { acquire } from '../../src/db/embedded/acquire.js'
import { ROLE } from '../../src/db/embedded/cluster.js'
import { freePort, stopPostmaster } from '../../src/db/embedded/postmaster.js'
import { isPostmasterOf, lookAtPostmaster } from '../../src/db/embedded/postmaster-pid.js'
import { eventually } from './eventually.js'
import { makeTestCluster } from './throwaway-postgres.js'

/** A PostgreSQL of the test's own, which it may treat as badly as it likes. Nothing watches over it. */
export type PostgresServer = {
  readonly port: number
  url(database: string): string
  /** Asks on a connection of its own, which is closed afterwards. */
  ask<T>(database: string, work: (sql: Sql) => Promise<T>): Promise<T>
  /** Sends the postmaster a signal (SIGINT: fast, SIGQUIT: immediate), waits for its end and starts it again. */
  restart(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void>
  close(): Promise<void>
}

export async function startPostgresServer(): Promise<PostgresServer> {
  const { remove, ...cluster } = await makeTestCluster()
  const { place } = cluster
  const port = await freePort()
  const start = async () => {
    const held = await acquire(cluster, { port, lockWaitMsMax: 0, spawnAttemptsMax: 20 })
    await held.ownership?.release()
  }
  await start()
  const url = (database: string) =>
    `postgres://${ROLE}:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/${database}`
  return {
    port,
    url,
    ask: (database, work) => ask(url(database), work),
    restart: async (signal) => {
      const state = await lookAtPostmaster(place.clusterDir)
      if (state.status !== 'live') throw new Error(`PostgreSQL is ${state.status}`)
      process.kill(state.pid, signal)
      await eventually(async () => {
        if (await isPostmasterOf(state.pid, place.clusterDir)) throw new Error('PostgreSQL is still there')
      }, 30_000)
      await start()
    },
    close: async () => {
      await stopPostmaster(place.clusterDir)
      await remove()
    },
  }
}

async function ask<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = createClient({
    ...{ url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false },
    applicationName: 'the test',
  })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
