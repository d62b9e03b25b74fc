import { readdir, stat } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lookAtPostmaster } from '../../src/db/embedded/postmaster-pid.js'
import { withSql } from '../fixtures/filled-database.js'
import { cloneDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import {
  type Program,
  runProgram,
  serveProgram,
  startProgram,
  stopProgram,
  temporaryDirectory,
} from '../support/program.js'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
const servers: Server[] = []

beforeEach(async () => {
  directory = await temporaryDirectory()
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await directory.remove()
})

const start = (environment: Record<string, string> = {}, command = 'serve'): Program =>
  startProgram([command], directory.path, { LLMRING_HOST: '127.0.0.1', LLMRING_PORT: '0', ...environment })
const dataDir = () => join(directory.path, '.llmring')
const clusterDir = () => join(dataDir(), 'postgres', 'cluster')

/** Stops a program that has not started yet: with 0, since that is what was asked, and with a line that says so. */
async function expectToStop(program: Program): Promise<void> {
  expect(program.stderr()).not.toContain('answers at')
  const ended = await stopProgram(program)
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  expect(ended.stdout.trim().split('\n').at(-1)).toContain('stopped before it had started')
}

async function listenOn(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer(onConnection)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `postgres://u:p@127.0.0.1:${typeof address === 'object' ? address?.port : 0}/llmring`
}

const untilInitdb = () =>
  eventually(async () => {
    const [name = '-'] = (await readdir(dataDir())).filter((entry) => entry.startsWith('postgres.making-'))
    await stat(join(dataDir(), name, 'cluster', 'PG_VERSION'))
  }, 30_000)

describe('SIGTERM', () => {
  it('stops a start that makes its database, and one whose PostgreSQL comes up, and leaves both as good as new', async () => {
    const making = start()
    await untilInitdb()
    await expectToStop(making)
    expect(await readdir(dataDir())).not.toContain('postgres')

    const starting = start()
    await eventually(() => stat(join(clusterDir(), 'postmaster.pid')), 30_000)
    // On a slow day the service may answer by now: then it drains, and ends the same way.
    expect(await stopProgram(starting)).toMatchObject({ code: 0, signal: null })
    expect(await lookAtPostmaster(clusterDir())).toEqual({ status: 'none' })

    const program = await serveProgram(directory.path)
    expect(program.stdout()).not.toContain('adopted')
    expect(await stopProgram(program)).toMatchObject({ code: 0 })
  })

  it.each([
    ['refuses connections', (socket: Socket) => socket.destroy()],
    ['accepts connections and says nothing', () => undefined],
  ])('stops a start that waits for a database which %s', async (_what, onConnection) => {
    let asked = 0
    const url = await listenOn((socket) => {
      asked += 1
      socket.on('error', () => undefined)
      onConnection(socket)
    })
    const program = start({ LLMRING_DATABASE_URL: url })
    await eventually(() => expect(asked).toBeGreaterThan(0), 30_000)
    await expectToStop(program)
  })

  it('stops a start that waits for another session to migrate', async () => {
    const database = await cloneDatabase()
    try {
      await withSql(database.url, async (sql) => {
        await sql`select pg_advisory_lock(hashtextextended('llmring-migrate:llmring', 0))`
        const program = start({ LLMRING_DATABASE_URL: database.url })
        await eventually(() => expect(program.stdout()).toContain('another session migrates'), 60_000)
        await expectToStop(program)
      })
    } finally {
      await database.drop()
    }
  })

  it('interrupts a restore that waits for another session to migrate', async () => {
    const database = await cloneDatabase()
    const file = join(directory.path, 'one.dump')
    const environment = { LLMRING_DATABASE_URL: database.url }
    try {
      expect(await runProgram(['dump', file], directory.path, environment)).toMatchObject({ code: 0 })
      await withSql(database.url, async (sql) => {
        await sql`select pg_advisory_lock(hashtextextended('llmring-migrate:llmring', 0))`
        const program = startProgram(['restore', file], directory.path, environment)
        await eventually(async () => {
          const sessions = await sql`
            select from pg_stat_activity where datname = current_database() and application_name = 'llmring-server restore'`
          expect(sessions).toHaveLength(1)
        }, 60_000)
        expect(await stopProgram(program)).toMatchObject({ code: 1, signal: null, stderr: 'Interrupted.\n' })
      })
    } finally {
      await database.drop()
    }
  })

  it('interrupts a command', async () => {
    const program = start({}, 'migrate')
    await untilInitdb()
    expect(await stopProgram(program)).toMatchObject({ code: 1, signal: null, stderr: 'Interrupted.\n' })
    expect(await readdir(dataDir())).not.toContain('postgres')
  })
})
