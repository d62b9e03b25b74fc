import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { withSql } from '../fixtures/filled-database.js'
import { call } from '../support/call.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { LOG_ORIGIN, LOG_SEED, logKeyText } from '../support/log-instance.js'
import { type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { type RunningWitness, startWitness } from '../support/witness-program.js'

let database: TestDatabase
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let witness: RunningWitness
const running = new Set<ServedProgram>()
beforeAll(async () => {
  ;[database, directory] = await Promise.all([cloneDatabase(), temporaryDirectory()])
  witness = await startWitness(directory.path, ['--state', 'witness', '--log', logKeyText()])
  const policy = `witness w ${witness.keyText} ${witness.url}\nquorum w\n`
  await writeFile(join(directory.path, 'policy'), policy)
})
afterAll(async () => {
  for (const program of running) await stopProgram(program, 'SIGKILL')
  await stopProgram(witness, 'SIGKILL')
  await directory.remove()
  await database.drop()
})

async function serve(name: string): Promise<ServedProgram> {
  const program = await serveProgram(directory.path, {
    LLMRING_DATABASE_URL: database.url,
    LLMRING_DATABASE_POOL_SIZE: '4',
    LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url'),
    LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.from(LOG_SEED).toString('base64url'),
    LLMRING_TLOG_ORIGIN: LOG_ORIGIN,
    LLMRING_TLOG_GUARD: `file:${join(directory.path, `guard-${name}`)}`,
    LLMRING_TLOG_POLICY_FILE: join(directory.path, 'policy'),
    LLMRING_NEW_PROJECTS_PER_MINUTE: '0',
  })
  running.add(program)
  return program
}

async function stop(program: ServedProgram, signal: NodeJS.Signals): Promise<void> {
  running.delete(program)
  await stopProgram(program, signal)
}

const CLAIMS = {
  ...{ registry_version: 'openai@2', model: 'openai:gpt-4o-mini', alias: 'summarizer', profile: 'default' },
  ...{ lock_digest: 'none', tokens: { input: 1200, output: 300 } },
  cost: { amount: '0.00036', calculation: 'as agreed' },
}

/** How many leaves the checkpoint has that is shown there. */
async function sizeOf({ url }: ServedProgram, path: string): Promise<number> {
  const { text, status } = await call(url, path, { key: null })
  expect([status, text.split('\n')[0]]).toEqual([200, LOG_ORIGIN])
  return Number(text.split('\n')[1])
}

/** Issues a receipt there, and waits until the witness has cosigned a checkpoint that covers it. */
async function issueWitnessed(program: ServedProgram): Promise<void> {
  const issued = await call(program.url, '/api/v1/receipts/issue?wait=logged', { json: CLAIMS })
  expect(issued.status).toBe(200)
  const size = await sizeOf(program, '/log/checkpoint')
  await eventually(async () => {
    expect(await sizeOf(program, '/log/checkpoint/witnessed')).toBeGreaterThanOrEqual(size)
  }, 60_000)
}

/** What an instance says of its own submissions. */
async function submissionsOf({ url }: ServedProgram) {
  const { text } = await call(url, '/metrics')
  const count = /^llmring_log_witness_submissions_total\{witness="w",result="cosigned"\} (\d+)$/m.exec(text)?.[1]
  return { isTurn: text.includes('\nllmring_log_submits_to_witnesses 1\n'), count: Number(count ?? 0) }
}

const holder = () =>
  withSql(database.url, async (sql) => (await sql`select witness_holder from log_head`)[0]?.['witness_holder'])

it('one of two instances submits to the witness; where it is killed, the other one does once its lease has lapsed', async () => {
  const one = await serve('one')
  const other = await serve('other')
  const first = await holder()
  expect(first).not.toBeNull()
  for (const program of [one, other, other, one]) await issueWitnessed(program)
  // What the other instance has signed was submitted by the first one, which heard of it.
  expect(await submissionsOf(one)).toMatchObject({ isTurn: true })
  expect((await submissionsOf(one)).count).toBeGreaterThanOrEqual(4)
  expect(await submissionsOf(other)).toEqual({ isTurn: false, count: 0 })

  await stop(one, 'SIGKILL')
  expect(await holder()).toBe(first)
  await issueWitnessed(other)
  expect(await submissionsOf(other)).toMatchObject({ isTurn: true })
  expect(await holder()).not.toBe(first)

  // One that is stopped in good order gives its turn back at once.
  const third = await serve('third')
  expect(await submissionsOf(third)).toEqual({ isTurn: false, count: 0 })
  const second = await holder()
  await stop(other, 'SIGTERM')
  expect(await holder()).not.toBe(second)
  await issueWitnessed(third)
  expect(await submissionsOf(third)).toMatchObject({ isTurn: true })
}, 240_000)
