import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { createClient } from '../../src/db/client.js'
import { databaseUrl } from './global-setup.js'

export type TestDatabase = { readonly url: string; drop(): Promise<void> }

/** A database of the caller's own, cloned from the migrated template. */
export async function cloneDatabase(): Promise<TestDatabase> {
  const name = `llmring_test_${randomBytes(6).toString('hex')}`
  const server = inject('serverUrl')
  await statement(server, `create database ${name} template ${inject('templateDatabase')} ${inject('cloneStrategy')}`)
  return {
    url: databaseUrl(server, name),
    drop: () => statement(server, `drop database if exists ${name} with (force)`),
  }
}

async function statement(url: string, text: string): Promise<void> {
  const sql = createClient({ url, schema: 'public', connectionsMax: 1, prepare: false, pooled: true })
  await sql.unsafe(text)
  await sql.end({ timeout: 5 })
}
