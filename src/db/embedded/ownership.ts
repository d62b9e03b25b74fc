import { setTimeout as pause } from 'node:timers/promises'
import type postgres from 'postgres'
import { connectPostgres } from '../driver/postgres.js'
import { classifyFailure } from '../failure.js'
import { ROLE } from './cluster.js'
import { codeOf, EmbeddedError, messageOf } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'

/** The right to stop and restart a cluster: an advisory lock, held by a connection that does nothing else. */
export type Ownership = {
  /** Resolves when the connection is gone, and with it the lock: Postgres died, or the session was ended. */
  readonly lost: Promise<void>
  release(): Promise<void>
}

/** What a visit found: `not-yet` is a server that is starting, stopping or full. */
export type Claim =
  | { readonly status: 'owned'; readonly ownership: Ownership }
  | { readonly status: 'taken' }
  | { readonly status: 'not-yet'; readonly reason: string }

/** The database that the service works in. */
export const DATABASE = 'llmring'

/** Advisory locks belong to a database: this one exists in every cluster, and no restore drops it. */
const LOCK_DATABASE = 'postgres'
/** An arbitrary number ("llmring!" in ASCII) that every version must agree on. */
const LOCK_KEY = '7812742046652639009'

/**
 * Connects to a live Postgres, makes the database where there is none yet, and tries to own the cluster for
 * `lockWaitMsMax`. Throws `start-failed` if the server answers but will not have us.
 */
export async function claimOwnership(
  port: number,
  password: string,
  lockWaitMsMax: number,
  signal?: AbortSignal,
): Promise<Claim> {
  const { sql, lost, isLost } = connect(port, password)
  try {
    await ensureDatabase(sql)
    const got = await takeLock(sql, lockWaitMsMax, signal)
    // The client reconnects between statements: a lock that a second connection took would not be watched.
    if (isLost()) throw new LostOnTheWay()
    if (got) {
      return { status: 'owned', ownership: { lost, release: () => sql.end({ timeout: 1 }) } }
    }
    await sql.end({ timeout: 1 })
    return { status: 'taken' }
  } catch (error) {
    await sql.end({ timeout: 0 }).catch(() => undefined)
    if (error instanceof LostOnTheWay || classifyFailure(error) === 'unavailable') {
      return { status: 'not-yet', reason: messageOf(error) }
    }
    throw refused(error)
  }
}

class LostOnTheWay extends Error {
  override readonly message = 'The connection was lost.'
}

function connect(port: number, password: string): { sql: postgres.Sql; lost: Promise<void>; isLost: () => boolean } {
  let closed = false
  let announce: () => void = () => undefined
  const lost = new Promise<void>((resolve) => {
    announce = resolve
  })
  const sql = connectPostgres(`postgres://127.0.0.1:${port}/${LOCK_DATABASE}`, {
    username: ROLE,
    password,
    ssl: false,
    max: 1,
    prepare: false,
    fetch_types: false,
    connect_timeout: EMBEDDED_LIMITS.connectSecondsMax,
    // On loopback nothing is lost on the way, and a stopped server is none that ended.
    answer_timeout: 0,
    // The default ends a connection after a while, and the lock would end with it.
    max_lifetime: null,
    idle_timeout: 0,
    onnotice: () => undefined,
    onclose: () => {
      closed = true
      announce()
    },
    connection: { application_name: 'llmring-server owner', idle_session_timeout: 0, statement_timeout: 0 },
  })
  return { sql, lost, isLost: () => closed }
}

async function takeLock(sql: postgres.Sql, waitMsMax: number, signal: AbortSignal | undefined): Promise<boolean> {
  const deadline = performance.now() + waitMsMax
  for (;;) {
    const [row] = await sql<{ got: boolean }[]>`select pg_try_advisory_lock(${LOCK_KEY}::bigint) as got`
    if (row?.got === true) return true
    if (performance.now() > deadline || signal?.aborted) return false
    await pause(EMBEDDED_LIMITS.pollMs)
  }
}

async function ensureDatabase(sql: postgres.Sql): Promise<void> {
  const [row] = await sql`select from pg_database where datname = ${DATABASE}`
  if (row !== undefined) return
  try {
    // Crash here: a cluster without the database, which the next visit makes.
    // template0, because it takes no connections: template1 is refused as a template while a session uses it.
    await sql`create database ${sql(DATABASE)} template template0`
  } catch (error) {
    // Another visitor was first: duplicate_database, or its unique index at the same moment.
    if (codeOf(error) !== '42P04' && codeOf(error) !== '23505') throw error
  }
}

function refused(error: unknown): EmbeddedError {
  return new EmbeddedError(
    'start-failed',
    `PostgreSQL runs but does not let llmring-server in: ${messageOf(error)}. The password file may be another database's.`,
    { cause: error },
  )
}
