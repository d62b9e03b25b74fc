import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClient } from '../../src/db/client.js'
import { databaseUrl } from '../support/global-setup.js'
import { runProgram, temporaryDirectory } from '../support/program.js'
import { OPERATIONS, readBlocks } from '../support/readme.js'

// Role and database get a name of this run's own: a server's roles are shared by everybody. The schema keeps its name; one
// that is named like the role would be found without any setting.
const NAME = `readme_sql_${process.pid}`
const SCHEMA = 'llmring'
const PASSWORD = randomBytes(12).toString('hex')
const [making = '', pooling = ''] = readBlocks(OPERATIONS.text)
  .filter(({ kind }) => kind === 'sql')
  .map(({ text }) =>
    text.replace(/(ROLE|DATABASE|TO|AUTHORIZATION|connect) llmring/g, `$1 ${NAME}`).replace('…', PASSWORD),
  )

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
const server = () => inject('serverUrl')

beforeAll(async () => {
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await run(server(), `drop database if exists ${NAME} with (force); drop role if exists ${NAME};`)
  await directory.remove()
})

/** Statement by statement: CREATE DATABASE stands alone. */
async function run(url: string, text: string): Promise<void> {
  const sql = createClient({ url, schema: 'public', connectionsMax: 1, prepare: false, pooled: true })
  for (const statement of text.split(';').filter((part) => part.trim() !== '')) await sql.unsafe(statement)
  await sql.end({ timeout: 5 })
}

function roleUrl(): string {
  const url = new URL(databaseUrl(server(), NAME))
  url.username = NAME
  url.password = PASSWORD
  return url.href
}

async function mayMakeRoles(): Promise<boolean> {
  const sql = createClient({ url: server(), schema: 'public', connectionsMax: 1, prepare: false, pooled: true })
  const [row] = await sql`select rolsuper or rolcreaterole as may from pg_roles where rolname = current_user`
  await sql.end({ timeout: 5 })
  return row?.may === true
}

const command = (args: readonly string[], environment: Record<string, string> = {}) =>
  runProgram(args, directory.path, {
    LLMRING_DATABASE_URL: roleUrl(),
    LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/',
    ...environment,
  })

describe("the README's SQL", () => {
  it('makes a role that owns one schema, may do nothing else, and suffices', async (context) => {
    if (!(await mayMakeRoles())) return context.skip('the role of TEST_DATABASE_URL may not make roles')
    const [before = '', after = ''] = making.split(`\\connect ${NAME}\n`)
    await run(server(), before)
    await run(databaseUrl(server(), NAME), after)
    expect(await command(['migrate'])).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied') })
    expect(await command(['keys', 'create'])).toMatchObject({ code: 0 })
    const sql = createClient({ url: roleUrl(), schema: SCHEMA, connectionsMax: 1, prepare: false, pooled: false })
    const [rights] = await sql`
      select rolsuper, rolcreatedb, rolcreaterole, has_database_privilege(current_database(), 'create') as creates
      from pg_roles where rolname = current_user`
    await sql.end({ timeout: 5 })
    expect(rights).toEqual({ rolsuper: false, rolcreatedb: false, rolcreaterole: false, creates: false })
  })

  it('gives the role what a session behind a pooler cannot set; without it the service refuses', async (context) => {
    if (!(await mayMakeRoles())) return context.skip('the role of TEST_DATABASE_URL may not make roles')
    const behindPooler = { LLMRING_DATABASE_DIRECT_URL: roleUrl() }
    expect(await command(['keys', 'list'], behindPooler)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ALTER ROLE'),
    })
    await run(server(), pooling)
    expect(await command(['keys', 'list'], behindPooler)).toMatchObject({ code: 0 })
    const sql = createClient({ url: roleUrl(), schema: SCHEMA, connectionsMax: 1, prepare: false, pooled: true })
    const session = await sql`select current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`
    await sql.end({ timeout: 5 })
    // The same limits as every session has that goes to the database directly.
    const direct = createClient({ url: roleUrl(), schema: SCHEMA, connectionsMax: 1, prepare: false, pooled: false })
    expect(session).toEqual(
      await direct`select current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`,
    )
    await direct.end({ timeout: 5 })
  })
})
