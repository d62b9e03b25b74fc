import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/client.js'
import { call } from '../support/call.js'
import { eventually } from '../support/eventually.js'
import { checkCheckpoints, LOG_ORIGIN, LOG_SEED, naiveRoot, readEntries } from '../support/log-instance.js'
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.js'
import { runProgram, type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'

/** Of each kind of end. `npm run faults` does twenty. */
const ROUNDS = Math.min(5, Number(process.env.FAULT_ROUNDS ?? 1))
const CLIENTS = 8
const LOAD_MS = 700

let server: PostgresServer
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let environment: Record<string, string>
beforeAll(async () => {
  ;[server, directory] = await Promise.all([startPostgresServer(), temporaryDirectory()])
  await server.ask('postgres', (sql) => sql.unsafe('create database logged'))
  environment = {
    LLMRING_DATABASE_URL: server.url('logged'),
    LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url'),
    LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.from(LOG_SEED).toString('base64url'),
    LLMRING_TLOG_ORIGIN: LOG_ORIGIN,
    LLMRING_TLOG_GUARD: `file:${directory.path}/tlog-guard`,
    LLMRING_NEW_PROJECTS_PER_MINUTE: '0',
  }
})
afterAll(async () => {
  await directory?.remove()
  await server?.close()
})

const CLAIMS = {
  ...{ registry_version: 'openai@2', model: 'openai:gpt-4o-mini', alias: 'summarizer', profile: 'default' },
  ...{ lock_digest: 'none', tokens: { input: 1200, output: 300 } },
  cost: { amount: '0.00036', calculation: 'as agreed' },
}

/** Issues receipts and watches the checkpoint until it is told to stop; what was answered, and what was shown. */
function startLoad(url: string) {
  const answered: string[] = []
  const shown = new Map<string, string>()
  let isRunning = true
  const client = async (project: string) => {
    while (isRunning) {
      const issued = await call(url, '/api/v1/receipts/issue', { key: project, json: CLAIMS }).catch(() => undefined)
      if (issued?.status === 200) answered.push(issued.text)
      else await sleep(20)
    }
  }
  const watcher = async () => {
    while (isRunning) {
      const { text = '', status } = (await call(url, '/log/checkpoint', { key: null }).catch(() => undefined)) ?? {}
      if (status === 200) shown.set(text.split('\n')[1] ?? '', text)
      await sleep(10)
    }
  }
  const all = [watcher(), ...Array.from({ length: CLIENTS }, (_, at) => client(`project-${at % 3}`))]
  return {
    ...{ answered, shown },
    stop: async () => {
      isRunning = false
      await Promise.all(all)
    },
  }
}

it('neither a killed service nor a killed PostgreSQL loses what was answered, makes a hole or changes a checkpoint', async () => {
  const answered: string[] = []
  const shown = new Map<string, string>()
  let program: ServedProgram = await serveProgram(directory.path, environment)
  const round = async (end: () => Promise<void>) => {
    const load = startLoad(program.url)
    await eventually(() => expect(load.answered.length).toBeGreaterThan(20), 30_000)
    await sleep(LOAD_MS)
    await end()
    await load.stop()
    answered.push(...load.answered)
    for (const [size, note] of load.shown) {
      expect([size, shown.get(size) ?? note]).toEqual([size, note])
      shown.set(size, note)
    }
  }
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    await round(async () => void (await stopProgram(program, 'SIGKILL')))
    program = await serveProgram(directory.path, environment)
    await round(() => server.restart('SIGKILL'))
    await round(() => server.restart('SIGQUIT'))
  }
  await round(async () => {})

  const entryOf = (text: string) => createHash('sha256').update(text).digest('hex')
  await eventually(async () => {
    const { status } = await call(program.url, `/log/proof?hash=${entryOf(answered.at(-1) ?? '')}`, { key: null })
    expect(status).toBe(200)
  }, 30_000)
  await stopProgram(program)

  const database = await openDatabase({
    ...{ url: server.url('logged'), schema: 'llmring', connectionsMax: 2, prepare: true, pooled: false },
  })
  try {
    const entries = await readEntries(database)
    const logged = new Set(entries.map((entry) => entry.toString('hex')))
    expect(logged.size).toBe(entries.length)
    expect(answered.length).toBeGreaterThan(60)
    expect(answered.filter((text) => !logged.has(entryOf(text)))).toEqual([])
    expect(shown.size).toBeGreaterThan(3)
    for (const [size, note] of shown) {
      expect(note.split('\n')[2]).toBe(naiveRoot(entries.slice(0, Number(size))).toString('base64'))
    }
    expect((await checkCheckpoints(database)).at(-1)).toBe(entries.length)
  } finally {
    await database.close()
  }
  const checked = await runProgram(['fsck', '--json'], directory.path, environment)
  expect([checked.code, checked.stderr]).toEqual([0, ''])
  expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, faults: 0 })
}, 180_000)
