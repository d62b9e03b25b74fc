import { randomBytes } from 'node:crypto'
import { deadline } from '../platform/deadline.js'
import { type ClientOptions, createClient, type Sql } from './client.js'

/** What a server says of itself. `schema`: where names without one are looked up; null where that does not exist. */
export type ServerFacts = {
  readonly version: string
  /** 180004 for 18.4. */
  readonly versionNumber: number
  readonly schema: string | null
  readonly schemaExists: boolean
}

export type ConnectionFacts = {
  /** How many connections the server, the database and the role let us have at most. */
  readonly most: number
  /** Connections that other programs hold right now. */
  readonly others: number
}

/** `schema` is the configured one. */
export async function inspectServer(sql: Sql, schema: string): Promise<ServerFacts> {
  const [row] = await sql<[ServerFacts]>`
    select current_setting('server_version') as version, current_setting('server_version_num')::integer as "versionNumber",
      current_schema() as schema, exists(select from pg_namespace where nspname = ${schema}) as "schemaExists"`
  return row
}

/** Sessions of other roles show no backend type to a role without rights, so what is no user's session is left out. */
export async function inspectConnections(sql: Sql): Promise<ConnectionFacts> {
  const [row] = await sql<[ConnectionFacts]>`
    select least(
        current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
          - coalesce(current_setting('reserved_connections', true), '0')::integer,
        (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
        (select nullif(datconnlimit, -1) from pg_database where datname = current_database())
      ) as most,
      (select count(*)::integer from pg_stat_activity
        where usesysid is not null and coalesce(backend_type, 'client backend') = 'client backend'
          and coalesce(application_name, '') not like 'llmring-server%') as others`
  return row
}

/** The server's clock, in milliseconds since the epoch. */
export async function inspectClock(sql: Sql): Promise<number> {
  const [row] = await sql<[{ ms: number }]>`select extract(epoch from clock_timestamp())::double precision * 1000 as ms`
  return row.ms
}

/** Where the server keeps its data. Only roles with special rights are told. */
export async function inspectDataDirectory(sql: Sql): Promise<string> {
  const [row] = await sql<[{ path: string }]>`select current_setting('data_directory') as path`
  return row.path
}

/**
 * Listens around any pooler, notifies through `pooled` as the service does, and waits at most `msMax` milliseconds.
 * Rejects if nothing comes: the two lead to different databases, or LISTEN goes through a pooler that gives its
 * connection to the next client.
 */
export async function echoNotification(
  pooled: Sql,
  direct: Omit<ClientOptions, 'connectionsMax'>,
  msMax: number,
): Promise<void> {
  const listener = createClient({ ...direct, connectionsMax: 1 })
  const channel = `${direct.schema}_echo_${randomBytes(6).toString('hex')}`
  try {
    let hear: () => void = () => undefined
    const heard = new Promise<void>((resolve) => {
      hear = resolve
    })
    await listener.listen(channel, hear)
    const notified = pooled`select pg_notify(${channel}, '')`
    await deadline(Promise.all([notified, heard]), msMax)
  } finally {
    await listener.end({ timeout: 0 })
  }
}
