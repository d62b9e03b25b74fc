import type postgres from 'postgres'
import { abortable } from '../platform/abortable.js'
import { bounded } from './bounded.js'
import { connectPostgres, type PoolLoad } from './driver/postgres.js'
import { DATABASE_LIMITS } from './limits.js'
import { type Orm, ormOn } from './orm.js'
import { limitWaiting } from './waiting.js'

export type Sql = postgres.Sql & { load(): PoolLoad }
/** What runs statements: a client, or one of its open transactions. */
export type Statements = postgres.ISql

export type ClientOptions = {
  readonly url: string
  readonly schema: string
  readonly connectionsMax: number
  readonly prepare: boolean
  /** Behind a pooler: start-up parameters are not sent (it would refuse them); the role carries them instead. */
  readonly pooled: boolean
  readonly applicationName?: string
  /** Default 10 s; 0: none but the server's own. */
  readonly statementMsMax?: number
  /** How long a statement waits for a connection. Default 5 s; any time if statements have no limit. */
  readonly waitMsMax?: number
}

export type Database = {
  /** Hot statements, written out. */
  readonly sql: Sql
  /** Everything else, through Drizzle, on the same connections. */
  readonly orm: Orm
  /** Whether it answers a question within `msMax` milliseconds. */
  answers(msMax: number): Promise<boolean>
  close(): Promise<void>
}

/**
 * After a lost network the server does not know that we are gone. Its default is to ask after two hours, and until then
 * the lost sessions count against `max_connections`.
 */
const SERVER_KEEPALIVE = { tcp_keepalives_idle: 10, tcp_keepalives_interval: 5, tcp_keepalives_count: 3 } as const

/**
 * JSON for both kinds of statements: a string is JSON text already (Drizzle renders its columns itself), any other
 * value is rendered. postgres.js alone would render Drizzle's text once more, and store a JSON string instead of an
 * object.
 */
const json: postgres.PostgresType = {
  to: 114,
  from: [114, 3802],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string): unknown => JSON.parse(text),
}

/** A postgres.js client that connects on first use. Nothing is asked of the server yet. */
export function createClient(options: ClientOptions): Sql {
  const statementMsMax = options.statementMsMax ?? DATABASE_LIMITS.statementMsMax
  const session = {
    search_path: options.schema,
    statement_timeout: statementMsMax,
    idle_in_transaction_session_timeout: DATABASE_LIMITS.idleInTransactionMsMax,
    ...SERVER_KEEPALIVE,
  }
  return connectPostgres(options.url, {
    types: { json },
    max: options.connectionsMax,
    prepare: options.prepare,
    connect_timeout: DATABASE_LIMITS.connectSecondsMax,
    answer_timeout: statementMsMax === 0 ? 0 : (statementMsMax + DATABASE_LIMITS.answerDelayMsMax) / 1000,
    keep_alive: 10,
    // At most one statement waits behind a slow one on its connection; others take the next one that is free. 64
    // readers on 8 connections are answered as fast as with 100 in a row, and at 0.85 of that with none.
    max_pipeline: 1,
    // On: a connection that is lost while it asks for the array types is a rejection that no caller can catch. So
    // arrays go in as text (array-text.ts) and come out as JSON.
    fetch_types: false,
    ...(statementMsMax === 0 ? {} : { onquery: limitWaiting(options.waitMsMax ?? DATABASE_LIMITS.waitMsMax) }),
    backoff: (attempt: number) => Math.min(0.05 * 2 ** attempt, DATABASE_LIMITS.reconnectSecondsMax),
    onnotice: () => undefined,
    connection: {
      application_name: options.applicationName ?? 'llmring-server',
      ...(options.pooled ? {} : session),
    },
  })
}

/**
 * A pool of `connectionsMax` connections. Throws if a connection's `current_schema()` is not the configured one: names
 * are never qualified, so another schema would mean another tenant's tables. Throws `Aborted` if the signal is given.
 */
export async function openDatabase(options: ClientOptions, signal?: AbortSignal): Promise<Database> {
  const sql = createClient(options)
  const close = () => sql.end({ timeout: 5 })
  try {
    await abortable(checkSchema(sql, options), signal)
  } catch (error) {
    await (signal?.aborted ? sql.end({ timeout: 0 }) : close())
    throw error
  }
  let probe: Promise<boolean> | undefined
  // Those who ask while an answer is awaited share it: probes must not pile up before a database that is away.
  const answers = (msMax: number): Promise<boolean> => {
    probe ??= bounded(sql`select 1`, msMax)
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        probe = undefined
      })
    return probe
  }
  return { sql, orm: ormOn(sql), answers, close }
}

async function checkSchema(sql: Sql, options: ClientOptions): Promise<void> {
  const [row] = await sql<{ current: string | null }[]>`select current_schema() as current`
  if (row?.current === options.schema) return
  const wayOut = options.pooled
    ? `Behind a pooler the role must carry it: ALTER ROLE <role> SET search_path = ${options.schema}.`
    : 'Run `llmring-server migrate`, or look at the role’s search_path.'
  throw new Error(
    `The database answers from schema '${row?.current ?? 'none'}' instead of '${options.schema}'. ${wayOut}`,
  )
}
