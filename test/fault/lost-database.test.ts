import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.js'
import { faultsInWrites } from '../support/kept-writes.js'
import { type MixedLoad, startMixedLoad } from '../support/mixed-load.js'
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.js'
import { type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'

/** `npm run faults` does twenty. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2)
/** 5 s of them, or 1 s where there are few rounds. */
const TERMINATIONS = ROUNDS > 3 ? 100 : 20
const CLIENTS = 16
const POOL = 8
/** A request that the fault caught may take its 20 s before its client sends the next. */
const HEAL_MS_MAX = 45_000
const PROJECTS = ['project-a', 'project-b', 'project-c']
/** The program's sessions, the one that listens among them. */
const SESSIONS = `select pid from pg_stat_activity where application_name like 'llmring-server%'`

let server: PostgresServer
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
beforeAll(async () => {
  server = await startPostgresServer()
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await directory.remove()
  await server.close()
})

type Setting = { readonly program: ServedProgram; readonly database: string }

const terminate = (sessions: string) =>
  server.ask(
    'postgres',
    async (sql) => void (await sql.unsafe(`select pg_terminate_backend(pid) from (${sessions}) s`)),
  )
const SERVER_FAULTS: Readonly<Record<string, () => Promise<void>>> = {
  'all backends are terminated': () => terminate(SESSIONS),
  'a backend is terminated every 50 ms': async () => {
    for (let time = 0; time < TERMINATIONS; time++) {
      await terminate(`${SESSIONS} order by random() limit 1`)
      await sleep(50)
    }
  },
  'PostgreSQL is restarted in fast mode': () => server.restart('SIGINT'),
  'PostgreSQL is restarted in immediate mode': () => server.restart('SIGQUIT'),
  'the postmaster is killed': () => server.restart('SIGKILL'),
}
const NETWORK_FAULTS: Readonly<Record<string, (proxy: FaultyProxy) => Promise<void>>> = {
  'the network resets connections': async (proxy) => proxy.reset(),
  'the network closes half of connections': async (proxy) => proxy.halfClose(),
  'the network swallows everything': async (proxy) => {
    proxy.swallow()
    await sleep(500)
    proxy.heal()
  },
  'the network accepts and closes': async (proxy) => {
    proxy.acceptAndClose()
    await sleep(500)
    proxy.heal()
  },
}

async function makeDatabase(name: string): Promise<string> {
  await server.ask('postgres', (sql) => sql.unsafe(`create database ${name}`))
  return server.url(name)
}

function serve(url: string): Promise<ServedProgram> {
  return serveProgram(directory.path, {
    LLMRING_DATABASE_URL: url,
    LLMRING_DATABASE_POOL_SIZE: String(POOL),
    LLMRING_DATABASE_POOL_OVERFLOW: '0',
    LLMRING_DATABASE_TIMEOUT_MS: '2000',
    LLMRING_NEW_PROJECTS_PER_MINUTE: '0',
    LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url'),
    LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.alloc(32, 9).toString('base64url'),
    LLMRING_TLOG_GUARD: 'none',
  })
}

/** Under mixed load, the fault strikes again and again; everything that is promised holds in each round and at the end. */
async function survive(name: string, { program, database }: Setting, fault: () => Promise<void>): Promise<void> {
  const load = startMixedLoad(program.url, PROJECTS, CLIENTS)
  const died = program.ended.then(({ code, signal, stderr }) => {
    throw new Error(`the program ended with ${code ?? signal}: ${stderr}`)
  })
  const strike = async () => {
    await load.healed(HEAL_MS_MAX)
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(Math.random() * 100)
      await fault()
      await load.healed(HEAL_MS_MAX)
    }
  }
  try {
    await Promise.race([strike(), died])
  } finally {
    await load.stop()
  }
  await expectEveryConnectionAnswers(program.url, database)
  report(name, load)
  expect(load.outcomes.filter(({ status }) => status !== 200 && status !== 503)).toEqual([])
  expect(load.outcomes.filter(({ status, retryAfter }) => status === 503 && retryAfter === null)).toEqual([])
  expect(load.lies).toEqual([])
  expect(await server.ask(database, (sql) => faultsInWrites(sql, load.outcomes))).toEqual([])
}

/** While a table is locked, requests wait on every connection of the pool. */
async function expectEveryConnectionAnswers(url: string, database: string): Promise<void> {
  // Unknown keys: each is looked up by a statement of its own, and no turn is waited for.
  const ask = async () =>
    (await fetch(`${url}/api/v1/aliases/resolve?alias=a`, { headers: { 'X-Project-Key': randomUUID() } })).status
  // Keys that are known are let in from memory a little longer than the database is away, others are not.
  await eventually(async () => expect(await ask()).toBe(200), HEAL_MS_MAX)
  const { asked } = await server.ask(database, (sql) =>
    sql.begin(async (tx) => {
      await tx`lock table project_keys in access exclusive mode`
      const answers = Array.from({ length: POOL }, () => ask())
      await eventually(async () => {
        // What the service does by itself may have held a connection for a moment: then one that waited had two requests.
        answers.push(ask())
        await expectWaiting(database, POOL)
      })
      return { asked: Promise.all(answers) }
    }),
  )
  expect(new Set(await asked)).toEqual(new Set([200]))
}

async function expectWaiting(database: string, sessions: number): Promise<void> {
  const [row] = await server.ask(
    'postgres',
    (sql) => sql<{ waiting: number }[]>`
    select count(*)::integer as waiting from pg_stat_activity
    where datname = ${database} and wait_event_type = 'Lock' and application_name like 'llmring-server%'`,
  )
  expect(row?.waiting).toBe(sessions)
}

function report(name: string, { outcomes }: MixedLoad): void {
  const answered = outcomes.filter(({ status }) => status === 200).length
  const rest = outcomes.length - answered
  console.info(`${name}, ${ROUNDS} rounds: ${answered} requests answered with 200, ${rest} with 503 or otherwise`)
}

const PROMISE = 'the built program goes on, and loses and doubles nothing, when'
const TIME = { timeout: 60_000 + ROUNDS * 95_000 }

describe(PROMISE, () => {
  const database = 'direct'
  let program: ServedProgram
  beforeAll(async () => {
    program = await serve(await makeDatabase(database))
  })
  afterAll(async () => {
    await stopProgram(program)
  })
  it.each(Object.entries(SERVER_FAULTS))('%s', TIME, (name, fault) => survive(name, { program, database }, fault))
})

describe(PROMISE, () => {
  const database = 'proxied'
  let proxy: FaultyProxy
  let program: ServedProgram
  beforeAll(async () => {
    proxy = await startFaultyProxy(server.port)
    const url = new URL(await makeDatabase(database))
    url.port = String(proxy.port)
    program = await serve(url.href)
  })
  afterAll(async () => {
    await stopProgram(program)
    await proxy.close()
  })
  it.each(Object.entries(NETWORK_FAULTS))('%s', TIME, (name, fault) =>
    survive(name, { program, database }, () => fault(proxy)),
  )
})
