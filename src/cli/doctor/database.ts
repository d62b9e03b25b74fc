import type { ClientOptions, Sql } from '../../db/client.js'
import { explainConnection } from '../../db/explain-connection.js'
import {
  type ConnectionFacts,
  echoNotification,
  inspectClock,
  inspectConnections,
  inspectServer,
  type ServerFacts,
} from '../../db/inspect.js'
import { type Migration, readMigrations } from '../../db/migrate.js'
import { listRecordedMigrations, type RecordedMigration } from '../../db/recorded-migrations.js'
import type { Clock } from '../../platform/clock.js'
import { deadline } from '../../platform/deadline.js'
import { CLI_LIMITS } from '../limits.js'
import { type Check, describeTrouble, type Finding, fail, ok, warn } from './check.js'

/** A database that can be asked, however well. */
export type Patient = {
  /** What the service's requests go through: perhaps a pooler. */
  readonly pooled: Sql
  readonly pooledUrl: string
  /** Around any pooler. */
  readonly direct: Sql
  readonly directOptions: Omit<ClientOptions, 'connectionsMax'>
  readonly behindPooler: boolean
  readonly location: string
}

type Needs = {
  /** Rejects where there is no database to ask. */
  readonly patient: () => Promise<Patient>
  readonly schema: string
  readonly connectionsMax: number
  readonly clock: Clock
}

/** Beside the pools: the listener, migrations, and an embedded database's owner. */
const CONNECTIONS_BESIDE = 3

/** What the service needs of its database. Nothing is changed there. */
export function databaseChecks({ patient, schema, connectionsMax, clock }: Needs): Check[] {
  return [
    {
      name: 'database',
      look: async () => {
        const { pooled, pooledUrl, location, behindPooler } = await patient()
        try {
          const facts = await deadline(inspectServer(pooled, schema), CLI_LIMITS.databaseAnswerMsMax)
          return judgeServer(facts, { schema, location, behindPooler })
        } catch (error) {
          const explained = explainConnection(error, pooledUrl)
          return fail(explained === error ? `${location}: ${describeTrouble(error)}` : describeTrouble(explained))
        }
      },
    },
    {
      name: 'migrations',
      look: () =>
        asking(patient, async ({ direct }) =>
          judgeMigrations(await listRecordedMigrations(direct), await readMigrations()),
        ),
    },
    {
      name: 'notifications',
      look: async () => {
        const { pooled, pooledUrl, directOptions } = await patient()
        try {
          await echoNotification(pooled, directOptions, CLI_LIMITS.echoMsMax)
          return ok('LISTEN and NOTIFY work')
        } catch (error) {
          if (explainConnection(error, pooledUrl) !== error && directOptions.url === pooledUrl) return fail(UNREACHED)
          const wayOut = 'Behind a pooler, LLMRING_DATABASE_DIRECT_URL must lead around it to the same database.'
          return fail(`LISTEN and NOTIFY do not work: ${describeTrouble(error)}. ${wayOut}`)
        }
      },
    },
    {
      name: 'connections',
      look: () =>
        asking(patient, async ({ direct }) => judgeConnections(await inspectConnections(direct), connectionsMax)),
    },
    {
      name: 'clock',
      look: () => asking(patient, async ({ pooled }) => judgeClock(await measureSkew(pooled, clock))),
    },
  ]
}

const UNREACHED = 'not looked at: there is no connection to the database'

/** If it is reached around no pooler, the first check has said what the trouble is, and what to do about it. */
async function asking(patient: Needs['patient'], look: (patient: Patient) => Promise<Finding>): Promise<Finding> {
  const asked = await patient()
  try {
    return await look(asked)
  } catch (error) {
    const { pooledUrl, directOptions } = asked
    const explained = explainConnection(error, directOptions.url, 'LLMRING_DATABASE_DIRECT_URL')
    if (explained !== error && directOptions.url === pooledUrl) return fail(UNREACHED)
    throw explained
  }
}

export function judgeServer(
  facts: ServerFacts,
  expected: { readonly schema: string; readonly location: string; readonly behindPooler: boolean },
): Finding {
  const server = `PostgreSQL ${facts.version}, ${expected.location}`
  if (facts.versionNumber < CLI_LIMITS.postgresVersionMin) return fail(`${server}: version 15 or newer is needed`)
  if (facts.schemaExists && facts.schema !== expected.schema) {
    const wayOut = expected.behindPooler
      ? `Behind a pooler the role must carry it: ALTER ROLE <role> SET search_path = ${expected.schema}.`
      : 'Look at the role’s rights on the schema.'
    return fail(`${server}: it answers from schema '${facts.schema ?? 'none'}', not '${expected.schema}'. ${wayOut}`)
  }
  return ok(`${server}, schema '${expected.schema}'`)
}

export function judgeMigrations(recorded: readonly RecordedMigration[], known: readonly Migration[]): Finding {
  if (recorded.length > known.length) {
    return fail(
      `the database is at version ${recorded.length}, newer than this program (${known.length}): upgrade the program`,
    )
  }
  const strange = recorded.find(({ sha256 }, index) => known[index]?.sha256 !== sha256)
  if (strange !== undefined) return fail(`${strange.name} was applied with other contents than the file has now`)
  const pending = known.slice(recorded.length)
  if (pending.length === 0) return ok(`up to date at version ${known.length}`)
  return warn(`pending: ${pending.map(({ name }) => name).join(', ')}; the service applies them when it starts`)
}

export function judgeConnections({ most, others }: ConnectionFacts, connectionsMax: number): Finding {
  const free = Math.max(0, most - others)
  const wanted = connectionsMax + CONNECTIONS_BESIDE
  const counts = `${free} of ${most} are not used by others; each instance may use ${wanted}`
  if (free >= wanted) return ok(counts)
  return warn(
    `${counts}. Lower LLMRING_DATABASE_POOL_SIZE and LLMRING_DATABASE_POOL_OVERFLOW, or raise max_connections.`,
  )
}

/** How far the database's clock is ahead of ours, and how far that may be wrong, in milliseconds. */
export type Skew = { readonly aheadMs: number; readonly doubtMs: number }

export function judgeClock({ aheadMs, doubtMs }: Skew): Finding {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1)
  if (Math.abs(aheadMs) - doubtMs <= CLI_LIMITS.clockSkewMsMax)
    return ok(`the database's clock and ours differ by ${seconds} s`)
  return warn(
    `the database's clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours: set both by a time service (NTP)`,
  )
}

async function measureSkew(sql: Sql, clock: Clock): Promise<Skew> {
  // The first question connects, which takes longer than any answer.
  await inspectClock(sql)
  const askedAt = clock()
  const theirs = await inspectClock(sql)
  const answeredAt = clock()
  return { aheadMs: theirs - (askedAt + answeredAt) / 2, doubtMs: (answeredAt - askedAt) / 2 }
}
