import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { findBundle } from '../../src/cli/bundle.js'
import { createClient } from '../../src/db/client.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { openMemoryFolder } from './memory-folder.js'
import { startThrowawayPostgres } from './throwaway-postgres.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server on which tests make databases of their own. */
    serverUrl: string
    /** A migrated database that nobody connects to: test files clone it. */
    templateDatabase: string
    /** How a database is best cloned there: what follows in the statement. */
    cloneStrategy: string
  }
}

export const TEST_SCHEMA = 'llmring'

/** One real Postgres for the whole run: the one that is named, a container, or one from the packaged binaries. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Whoever says where temporary files go is obeyed. The processes that run the tests inherit what is set here.
  const memory = process.env.TMPDIR === undefined ? openMemoryFolder() : undefined
  if (memory !== undefined) process.env.TMPDIR = memory.path
  // The service serves what is built of the page, and starts from the bundle; the compiler of the tests leaves both out.
  const root = join(import.meta.dirname, '../..')
  const build = (script: string) => promisify(execFile)('npm', ['run', '--silent', script], { cwd: root })
  // A bundle that is current may be in use: another run of tests has started programs from it.
  const isCurrent = findBundle(pathToFileURL(join(root, 'dist/'))) !== undefined
  const building = Promise.all([build('page'), isCurrent ? undefined : build('bundle')])
  const server = await openServer()
  const template = `llmring_template_${randomBytes(6).toString('hex')}`
  await run(server.url, `create database ${template}`)
  const sql = createClient({
    url: databaseUrl(server.url, template),
    schema: TEST_SCHEMA,
    connectionsMax: 1,
    prepare: true,
    pooled: false,
  })
  await migrate(sql, TEST_SCHEMA, await readMigrations())
  await sql.end({ timeout: 5 })
  await building
  project.provide('serverUrl', server.url)
  project.provide('templateDatabase', template)
  project.provide('cloneStrategy', server.cloneStrategy)
  return async () => {
    await run(server.url, `drop database if exists ${template} with (force)`)
    await server.close()
    memory?.remove()
  }
}

async function openServer(): Promise<{ url: string; cloneStrategy: string; close(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL
  if (given !== undefined && given !== '') return { url: given, cloneStrategy: '', close: async () => undefined }
  if (process.env.TEST_SERVICES === 'containers') {
    const { GenericContainer, Wait } = await import('testcontainers')
    const container = await new GenericContainer('postgres:18')
      .withEnvironment({ POSTGRES_PASSWORD: 'test' })
      .withExposedPorts(5432)
      .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
      .start()
    const url = `postgres://postgres:test@${container.getHost()}:${container.getMappedPort(5432)}/postgres`
    return { url, cloneStrategy: '', close: async () => void (await container.stop()) }
  }
  // Its checkpoints, of which this takes two, cost nothing: 11 ms of processor time for a clone instead of 67.
  return { ...(await startThrowawayPostgres()), cloneStrategy: 'strategy file_copy' }
}

export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}

async function run(url: string, statement: string): Promise<void> {
  const sql = createClient({ url, schema: 'public', connectionsMax: 1, prepare: false, pooled: true })
  await sql.unsafe(statement)
  await sql.end({ timeout: 5 })
}
