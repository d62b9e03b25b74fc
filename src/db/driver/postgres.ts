import type postgres from 'postgres'
import type { IssuedQuery } from '../waiting.js'
import { loadDriver } from './load-driver.js'
import { POOL_REPAIRS } from './pool-repairs.js'
import { QUERY_REPAIRS } from './query-repairs.js'
import type { Repair } from './repairs.js'
import { SOCKET_REPAIRS } from './socket-repairs.js'

type DriverOptions = postgres.Options<Record<string, postgres.PostgresType>> & {
  /** How many seconds a running query may bring no byte before its connection is given up; 0: any number. */
  readonly answer_timeout: number
  /** How many statements may wait behind the one that runs on their connection. */
  readonly max_pipeline?: number
  /** Hears of each query outside of transactions, and of each BEGIN, that may have to wait for a connection. */
  readonly onquery?: (query: IssuedQuery) => void
}

export const REPAIRS: readonly Repair[] = [...SOCKET_REPAIRS, ...QUERY_REPAIRS, ...POOL_REPAIRS]

/**
 * What a client's connections do now, and how many queries wait for one. Of a transaction only its connection counts.
 */
export type PoolLoad = {
  readonly idle: number
  readonly busy: number
  readonly connecting: number
  readonly waiting: number
}

type Driver = (url: string, options: DriverOptions) => postgres.Sql & { load(): PoolLoad }

/**
 * postgres.js with its repairs: makes a client, which connects on first use. The only way to the driver: the package
 * itself loses track of its queries and transactions when a connection is lost.
 */
export const connectPostgres = loadDriver(REPAIRS) as Driver
