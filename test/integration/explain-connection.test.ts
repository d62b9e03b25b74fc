import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClient } from '../../src/db/client.js'
import { explainConnection } from '../../src/db/explain-connection.js'
import { withSql } from '../fixtures/filled-database.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

const PASSWORD = 'hidden-word'
const suffix = randomBytes(6).toString('hex')
/** A role that may have no session at all, and one that may make nothing. */
const FULL = `explain_full_${suffix}`
const BARE = `explain_bare_${suffix}`

let database: TestDatabase
beforeAll(async () => {
  database = await cloneDatabase()
  await withSql(database.url, async (sql) => {
    await sql.unsafe(`create role ${FULL} login password '${PASSWORD}' connection limit 0`)
    await sql.unsafe(`create role ${BARE} login password '${PASSWORD}'`)
  })
})
afterAll(async () => {
  await withSql(database.url, (sql) => sql.unsafe(`drop role ${FULL}, ${BARE}`))
  await database.drop()
})

/** The test's database with parts of its URL changed. */
function changed(changes: Partial<Pick<URL, 'hostname' | 'port' | 'username' | 'password' | 'pathname' | 'search'>>) {
  return Object.assign(new URL(database.url), { password: PASSWORD, ...changes }).href
}

/** What is said of the trouble that a statement has at this address. */
async function complaint(url: string, statement = 'select 1'): Promise<string> {
  const sql = createClient({ url, schema: 'llmring', connectionsMax: 1, prepare: false, pooled: false })
  try {
    await sql.unsafe(statement)
    return 'no trouble'
  } catch (error) {
    return String(explainConnection(error, url))
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/** A server that is no PostgreSQL, while `work` runs. */
async function beside<T>(behave: (socket: Socket) => void, work: (port: string) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    behave(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await work(String((server.address() as AddressInfo).port))
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

describe.concurrent('trouble with a connection is explained where', () => {
  it.each([
    ['nothing listens', { port: '9' }, /nothing listens there.*\(ECONNREFUSED\)/],
    ['the host is unknown', { hostname: 'no-such-host.invalid' }, /host name is not known.*\((ENOTFOUND|EAI_AGAIN)\)/],
    ['the password is wrong', {}, /does not let this user in.*\(28P01\)/],
    ['there is no such user', { username: 'no_such_user' }, /does not let this user in.*\(28P01\)/],
    [
      'TLS is asked for and not offered',
      { search: '?sslmode=require' },
      /broke off: .*TLS \(\?sslmode=require\) or have none.*\(ECONNRESET\)/,
    ],
    ['the role has no session left', { username: FULL }, /no connections left.*\(53300\)/],
  ] as const)('%s', async (_, changes, check) => {
    const said = await complaint(changed(changes))
    expect(said).toMatch(check)
    expect(said).toMatch(/^Error: Database \S+, user \w+: .* Its address is LLMRING_DATABASE_URL\.$/)
    expect(said).not.toContain(PASSWORD)
  })

  it('there is no such database', async () => {
    const { password } = new URL(inject('serverUrl'))
    const said = await complaint(changed({ password, pathname: '/no_such_database' }))
    expect(said).toMatch(/\/no_such_database, .*no such database: create it.*\(3D000\)/)
  })

  it('the role lacks a right', async () => {
    const said = await complaint(changed({ username: BARE }), 'create schema of_its_own')
    expect(said).toMatch(/the role lacks a right: it needs CREATE.*\(42501\)/)
  })

  it('the network swallows everything', async () => {
    const said = await beside(
      () => undefined,
      (port) => complaint(changed({ port })),
    )
    expect(said).toMatch(/nothing answers: is it the right address.*\((CONNECT_TIMEOUT|QUERY_NOT_SENT)\)/)
  })

  it('what listens there closes at once', async () => {
    const said = await beside(
      (socket) => socket.destroy(),
      (port) => complaint(changed({ port })),
    )
    expect(said).toMatch(/the connection broke off.*\((CONNECTION_\w+|ECONNRESET)\)/)
  })

  it('a statement fails for another reason: that is told as it is', async () => {
    const { password } = new URL(inject('serverUrl'))
    expect(await complaint(changed({ password }), 'select no_such_column')).toMatch(/^PostgresError: column/)
  })
})
