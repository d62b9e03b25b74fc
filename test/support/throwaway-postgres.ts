import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../src/db/client.js'
import { spawnIdentity } from '../../src/db/embedded/account.js'
import { findPackagedBinaries, prepareBinaries } from '../../src/db/embedded/binaries.js'
import { type Cluster, ensureCluster, ROLE, readPassword } from '../../src/db/embedded/cluster.js'
import { makePassable } from '../../src/db/embedded/passable.js'
import { choosePlace } from '../../src/db/embedded/place.js'
import { freePort } from '../../src/db/embedded/postmaster.js'
import { COMMAND_ENVIRONMENT } from '../../src/db/embedded/run-as.js'
import { eventually } from './eventually.js'

/** Hundreds of databases are made on it and dropped, and none of them need outlive the machine: its disk is spared. */
const SETTINGS = {
  ...{
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    password_encryption: 'scram-sha-256',
  },
  ...{ fsync: 'off', full_page_writes: 'off', max_wal_size: '4GB', autovacuum_naptime: '10min' },
  ...{ shared_buffers: '128MB', max_connections: '200' },
}

/** A cluster in a folder of its own, as the service makes it, and not started. */
export async function makeTestCluster(): Promise<Cluster & { remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'llmring-server-'))
  await makePassable(root)
  const stateDir = join(root, 'state')
  const place = await choosePlace(join(root, 'data'), { stateDir })
  const binaries = await prepareBinaries(await findPackagedBinaries(), place.account, stateDir, () => undefined)
  await ensureCluster(place, binaries)
  const remove = () => rm(root, { recursive: true, force: true })
  return { place, binaries, password: await readPassword(place), remove }
}

/** A PostgreSQL for tests that treat it well. Those that kill one start their own. */
export async function startThrowawayPostgres(): Promise<{ url: string; close(): Promise<void> }> {
  const { place, binaries, password, remove } = await makeTestCluster()
  const port = await freePort()
  const args = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const options = { ...spawnIdentity(place.account), env: COMMAND_ENVIRONMENT, cwd: '/', stdio: 'ignore' as const }
  const child = spawn(binaries.postgres, ['-D', place.clusterDir, ...args], options)
  const ended = once(child, 'exit')
  const url = `postgres://${ROLE}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`
  await eventually(() => isThere(url), 60_000)
  return {
    url,
    close: async () => {
      // What is on its disk is about to be removed: it need not be written there in order.
      child.kill('SIGQUIT')
      await ended
      await remove()
    },
  }
}

async function isThere(url: string): Promise<void> {
  const sql = createClient({ url, schema: 'public', connectionsMax: 1, prepare: false, pooled: true })
  await sql.unsafe('select 1').finally(() => sql.end({ timeout: 1 }))
}
