import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Options, Sql } from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadDriver } from '../../src/db/driver/load-driver.js'
import { connectPostgres, REPAIRS } from '../../src/db/driver/postgres.js'
import { limitWaiting } from '../../src/db/waiting.js'
import { type BreakingProxy, startBreakingProxy } from '../support/breaking-proxy.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'

type Settings = Partial<Options<Record<string, never>>> & {
  readonly answer_timeout?: number
  readonly max_pipeline?: number
  readonly onquery?: ReturnType<typeof limitWaiting>
  readonly at?: string
}

/** A driver under test: how to make a client with one connection, and how long a promise may take before it `hangs`. */
type Trial = { readonly connect: (settings?: Settings) => Sql; readonly patienceMs: number }

/** Shows a fault that repairs end. `sound` is what comes out with them; without them, anything else. */
type Probe = {
  readonly sound: unknown
  /** The repairs that end it, if more than the one it is named after stand before the fault. */
  readonly repairs?: readonly string[]
  readonly run: (trial: Trial) => Promise<unknown>
}

let database: TestDatabase
let proxy: BreakingProxy
let observer: Sql
const opened: (() => unknown)[] = []

beforeAll(async () => {
  database = await cloneDatabase()
  proxy = await startBreakingProxy(database.url)
  observer = clientOf(connectPostgres as Driver)({ max: 2 })
  await observer`create table stored (n integer, bytes bytea)`
})
afterEach(async () => {
  proxy.silence(false)
  proxy.admit('all')
  for (const close of opened.splice(1)) await close()
  await observer`truncate stored`
})
afterAll(async () => {
  for (const close of opened.splice(0)) await close()
  await proxy.close()
  await database.drop()
})

type Driver = (url: string, options: object) => Sql
const clientOf =
  (driver: Driver) =>
  ({ at = database.url, ...settings }: Settings = {}): Sql => {
    const options = { max: 1, fetch_types: false, backoff: () => 0.05, onnotice: () => undefined, ...settings }
    const client = driver(at, options)
    opened.push(() => Promise.race([client.end({ timeout: 0 }), sleep(1_000)]))
    return client
  }

/** What becomes of a promise: its value, the code it is rejected with, or `hangs`. */
async function fate(promise: Promise<unknown>, patienceMs: number): Promise<unknown> {
  const settled = promise.then(
    (value) => (Array.isArray(value) ? [...value] : value),
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
  return await Promise.race([settled, sleep(patienceMs, 'hangs', { ref: false })])
}

const startServer = async (onConnection: Parameters<typeof createServer>[1]): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true }, onConnection)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => server.close())
  return server
}
const addressOf = (server: Server) => `postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/db`
const terminate = (pid: unknown) => observer`select pg_terminate_backend(${String(pid)}::int)`
const pidOf = async (sql: Sql) => (await sql`select pg_backend_pid() as pid`)[0]?.['pid']

/** Errors that belong to no promise which a caller holds, while `work` runs: each of them would end the process. */
async function looseErrors(work: (loose: readonly string[]) => Promise<unknown>): Promise<string[]> {
  const kinds = ['uncaughtException', 'unhandledRejection'] as const
  const loose: string[] = []
  const usual = kinds.map((kind) => process.listeners(kind as 'uncaughtException'))
  for (const kind of kinds) {
    process.removeAllListeners(kind)
    process.on(kind, (error: Error) => void loose.push(error.message))
  }
  try {
    await work(loose)
  } finally {
    kinds.forEach((kind, index) => {
      process.removeAllListeners(kind)
      for (const listener of usual[index] ?? []) process.on(kind as 'uncaughtException', listener)
    })
  }
  return loose
}

/** Waits for the first of them, for as long as it can take. */
const seen = (loose: readonly string[]) => eventually(() => expect(loose).not.toEqual([]), 700).catch(() => undefined)

const PROBES: Readonly<Record<string, Probe>> = {
  'statement-without-a-socket': {
    repairs: ['closed-keeps-the-last-session'],
    sound: ['CONNECTION_CLOSED', 'before the close', [{ one: 1 }], 0],
    run: async ({ connect, patienceMs }) => {
      let isClosed = false
      const onclose = () => {
        isClosed = true
      }
      const sql = connect({ at: proxy.url, onclose })
      await sql`select 1`
      const running = sql`select pg_sleep(30)`.execute()
      // What a caller does who tries again at once: the connection has failed, and is not closed yet.
      const again = running.catch(() => sql`insert into stored (n) values (1)`)
      await sleep(50)
      proxy.break('reset')
      const answers = [await fate(again, patienceMs), isClosed ? 'with the close' : 'before the close']
      answers.push(await fate(sql`select 1 as one`, patienceMs))
      return [...answers, (await observer`select from stored`).length]
    },
  },
  'write-without-a-socket': {
    repairs: ['statement-without-a-socket', 'transaction-without-its-connection'],
    sound: [],
    run: ({ connect }) =>
      looseErrors(async (loose) => {
        let close: () => void = () => undefined
        const closed = new Promise<void>((resolve) => {
          close = resolve
        })
        const lost = connect({ onclose: close }).begin(async (tx) => {
          await terminate((await tx`select pg_backend_pid() as pid`)[0]?.['pid'])
          await closed
          await tx`select 1`
        })
        await lost.catch(() => undefined)
        await seen(loose)
      }),
  },
  'closed-keeps-the-last-session': {
    sound: 'CONNECTION_CLOSED',
    run: async ({ connect, patienceMs }) => {
      const server = await startServer((socket) => void socket.end())
      return await fate(connect({ at: addressOf(server) })`select 1`, patienceMs)
    },
  },
  'rows-after-an-error': {
    sound: ['22012', [{ one: 1 }]],
    run: async ({ connect, patienceMs }) => {
      const sql = connect()
      const failing = fate(sql`select 1 / (3 - n) from generate_series(1, 5) as n`, patienceMs)
      return [await failing, await fate(sql`select 1 as one`, patienceMs)]
    },
  },
  'terminate-leaves-its-socket': {
    sound: 'closed',
    run: async ({ connect, patienceMs }) => {
      // A server that takes the connection and neither answers nor hangs up.
      let taken: Socket | undefined
      const server = await startServer((socket) => {
        taken = socket.on('error', () => undefined).resume()
      })
      const sql = connect({ at: addressOf(server) })
      const asked = fate(sql`select 1`, patienceMs)
      await eventually(() => expect(taken).toBeDefined())
      await sql.end({ timeout: 0 })
      await asked
      // An end that was closed refuses what is sent to it; one that was only ended takes it.
      const closed = eventually(() => {
        taken?.write('N')
        expect(taken?.destroyed).toBe(true)
        return 'closed'
      }, 2_000)
      return await closed.catch(() => 'open')
    },
  },
  'connect-after-terminate': {
    sound: 1,
    run: async ({ connect, patienceMs }) => {
      let connections = 0
      const server = await startServer((socket) => {
        connections++
        socket.end()
      })
      const sql = connect({ at: addressOf(server), backoff: () => 0.3 })
      await fate(sql`select 1`, patienceMs)
      const asked = fate(sql`select 1`, patienceMs)
      await sql.end({ timeout: 0 })
      await asked
      await sleep(500)
      return connections
    },
  },
  'copy-outlives-its-socket': {
    sound: '22P02',
    run: async ({ connect, patienceMs }) => {
      const sql = connect()
      const copy = async () => pipeline(Readable.from(['1\t\n', 'x\t\n']), await sql`copy stored from stdin`.writable())
      return await fate(copy(), patienceMs)
    },
  },
  'silence-for-ever': {
    sound: ['CONNECTION_CLOSED', [{ one: 1 }]],
    run: async ({ connect, patienceMs }) => {
      const sql = connect({ at: proxy.url, answer_timeout: 0.2 })
      await sql`select 1`
      proxy.silence(true)
      const silent = await fate(sql`select 1`, patienceMs)
      proxy.silence(false)
      return [silent, await fate(sql`select 1 as one`, patienceMs)]
    },
  },
  'query-that-cannot-be-built': {
    sound: [[{ v: 'a' }], 'UNDEFINED_VALUE', [{ v: 'c' }]],
    run: async ({ connect, patienceMs }) => {
      const sql = connect()
      await sql`select 1`
      const first = fate(sql`select 'a' as v from pg_sleep(0.05)`, patienceMs)
      const second = fate(sql`select ${undefined as unknown as string}`, patienceMs)
      const third = fate(sql`select 'c' as v`, patienceMs)
      return [await first, await second, await third]
    },
  },
  'cancelled-before-it-was-sent': {
    sound: '57014',
    run: async ({ connect, patienceMs }) => {
      const work = connect().begin(async (tx) => {
        // Its parameter's type has to be asked for first: until then the next statement waits in the transaction's queue.
        const running = tx`select pg_sleep(${0.3})`.execute()
        const cancelled = tx`select 'cancelled' as v`.execute()
        cancelled.catch(() => undefined)
        await sleep(0)
        cancelled.cancel()
        await running
        return await tx`select 'after' as v`
      })
      return await fate(work, patienceMs)
    },
  },
  'cancelled-in-the-pipeline': {
    sound: [[{ v: 'b' }], [{ v: 'c' }]],
    run: async ({ connect, patienceMs }) => {
      const sql = connect()
      await sql`select 1`
      const running = fate(sql`select 'a' as v from pg_sleep(0.5)`, 10_000)
      const cancelled = sql`select 'b' as v`.execute()
      const next = fate(sql`select 'c' as v`, patienceMs)
      await sleep(0)
      cancelled.cancel()
      await running
      return [await fate(cancelled, patienceMs), await next]
    },
  },
  'begin-in-a-full-pipeline': {
    sound: ['mine', 1],
    run: async ({ connect, patienceMs }) => {
      const sql = connect({ max_pipeline: 1 })
      await sql`select 1`
      const running = sql`select pg_sleep(0.05)`.execute()
      let begun: unknown
      await looseErrors(async () => {
        begun = await fate(
          sql.begin(() => Promise.reject(new Error('mine'))),
          patienceMs,
        )
      })
      await running
      await fate(sql`insert into stored (n) values (1)`, patienceMs)
      await sql.end({ timeout: 1 })
      return [begun, (await observer`select from stored`).length]
    },
  },
  'parameters-serialised-twice': {
    sound: ['hello', 'hello'],
    run: async ({ connect }) => {
      const sql = connect()
      const store = () => sql`insert into stored (bytes) values (${Buffer.from('hello')})`
      await store()
      await sql`deallocate all`.simple()
      await store()
      return (await observer`select bytes from stored`).map(({ bytes }) => String(bytes))
    },
  },
  'transaction-without-its-connection': {
    sound: ['CONNECTION_CLOSED', 'CONNECTION_CLOSED', 'CONNECTION_CLOSED'],
    run: async ({ connect, patienceMs }) => {
      const sql = connect()
      let over: typeof sql | undefined
      await sql.begin(async (tx) => {
        over = tx as unknown as Sql
        await tx`select 1`
      })
      const late = over === undefined ? undefined : await fate(over`select 'late' as v`, patienceMs)
      let stubborn: Promise<unknown> = Promise.resolve()
      const lost = sql.begin(async (tx) => {
        const [session] = await tx`select pg_backend_pid() as pid`
        const goesOn = async () => {
          await terminate(session?.['pid'])
          await eventually(async () => expect(await pidOf(sql)).toBeDefined())
          return await tx`insert into stored (n) values (1)`
        }
        stubborn = goesOn()
        await stubborn
      })
      const failed = await fate(lost, patienceMs)
      return [late, failed, await fate(stubborn, patienceMs)]
    },
  },
  'commit-that-rolled-back': {
    sound: '40000',
    run: async ({ connect, patienceMs }) => {
      const careless = connect().begin(async (tx) => {
        await tx`select 1`
        tx`select 1 / 0`.catch(() => undefined)
      })
      return await fate(careless, patienceMs)
    },
  },
  'cancel-that-fails': {
    sound: [],
    run: async ({ connect }) => {
      const sql = connect({ at: proxy.url })
      await sql`select 1`
      const running = sql`select pg_sleep(30)`.execute()
      running.catch(() => undefined)
      await sleep(20)
      proxy.admit('reset')
      return await looseErrors(async (loose) => {
        running.cancel()
        await seen(loose)
      })
    },
  },
  'waiting-for-ever': {
    sound: ['QUERY_NOT_SENT', 'QUERY_NOT_SENT'],
    run: async ({ connect, patienceMs }) => {
      const sql = connect({ max_pipeline: 1, onquery: limitWaiting(100) })
      const before = [1, 2, 3].map(() => fate(sql`select pg_sleep(0.6)`, 10_000))
      await sleep(0)
      const waiting = [sql`select 1`, sql.begin((tx) => tx`select 1`)]
      const fates = await Promise.all(waiting.map((one) => fate(one, patienceMs)))
      await Promise.all(before)
      return fates
    },
  },
  'pool-that-tells-nothing': {
    sound: [
      { idle: 1, busy: 0, connecting: 0, waiting: 0 },
      { idle: 0, busy: 1, connecting: 0, waiting: 2 },
      { idle: 1, busy: 0, connecting: 0, waiting: 0 },
    ],
    run: async ({ connect }) => {
      const sql = connect({ max: 1 })
      const load = () => (sql as { load?(): unknown }).load?.()
      await sql`select 1`
      const before = load()
      const outside: Promise<unknown>[] = []
      const during = await sql.begin(async (tx) => {
        await tx`select 1`
        outside.push(sql`select 1`.execute(), sql`select 2`.execute())
        await sleep(0)
        return load()
      })
      await Promise.all(outside)
      return [before, during, load()]
    },
  },
  'end-leaves-queries-behind': {
    sound: 0,
    run: async ({ connect, patienceMs }) => {
      const sql = connect({ connection: { application_name: 'ended' } })
      // Not prepared yet: each has to wait until the one before it is done.
      const asked = [1, 2, 3].map((n) => fate(sql`select ${n}::int from pg_sleep(0.1)`, 10_000))
      await sleep(0)
      await sql.end({ timeout: 5 })
      await Promise.all(asked)
      const left = async () => (await observer`select from pg_stat_activity where application_name = 'ended'`).length
      await eventually(async () => expect(await left()).toBe(0), Math.max(patienceMs, 500)).catch(() => undefined)
      return await left()
    },
  },
}

describe('the driver', () => {
  it.each(Object.entries(PROBES))('with its repairs is sound: %s', async (_name, { run, sound }) => {
    const connect = clientOf(connectPostgres as Driver)
    expect(await run({ connect, patienceMs: 10_000 })).toEqual(sound)
  })

  it.each(Object.entries(PROBES))(
    'without the repair has the fault: %s',
    async (name, { run, sound, repairs = [] }) => {
      const missing = [name, ...repairs]
      const connect = clientOf(loadDriver(REPAIRS.filter((repair) => !missing.includes(repair.name))) as Driver)
      expect(await run({ connect, patienceMs: 400 })).not.toEqual(sound)
    },
  )

  it('has a probe for each of its repairs', () => {
    expect([...new Set(REPAIRS.map(({ name }) => name))].sort()).toEqual(Object.keys(PROBES).sort())
  })
})
