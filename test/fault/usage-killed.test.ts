import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClient } from '../../src/db/client.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { faultsInRollups } from '../support/kept-writes.js'
import { runProgram, type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'

const CLIENTS = 12
const ROUNDS = 3
/** So many events of each client in a row are sent as one batch. */
const BATCH = 5
const MS_MAX = 60_000

let database: TestDatabase
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let program: ServedProgram
beforeAll(async () => {
  database = await cloneDatabase()
  directory = await temporaryDirectory()
  program = await serveProgram(directory.path, environment())
})
afterAll(async () => {
  await stopProgram(program)
  await directory.remove()
  await database.drop()
})

const environment = () => ({
  LLMRING_DATABASE_URL: database.url,
  LLMRING_DATABASE_POOL_SIZE: '6',
  LLMRING_DATABASE_POOL_OVERFLOW: '0',
  LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url'),
  LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.alloc(32, 9).toString('base64url'),
  LLMRING_TLOG_GUARD: 'none',
})

const eventOf = (name: string) => ({
  ...{ provider: 'openai', model: `m${name.length % 3}`, input_tokens: 3, output_tokens: 1, cost: 0.000_001 },
  ...{ alias: 'hot', id_at_origin: name },
})

/** Sends a request, the same again and again, until it is answered with 200: whoever gets no answer does that. */
async function sendUntilAnswered(path: string, json: unknown, headers: Record<string, string>): Promise<unknown> {
  const giveUpAt = performance.now() + MS_MAX
  for (;;) {
    try {
      const response = await fetch(program.url + path, {
        method: 'POST',
        headers: { 'X-Project-Key': 'killed', 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(json),
        signal: AbortSignal.timeout(5_000),
      })
      if (response.status === 200) return await response.json()
    } catch {
      // The program is gone, and a new one comes.
    }
    if (performance.now() > giveUpAt) throw new Error(`${path} was never answered`)
    await sleep(20)
  }
}

it(
  'the service is killed under load: what is sent again is recorded once, and the rollups are those of the rows',
  async () => {
    let isRunning = true
    const sent: string[] = []
    const client = async (number: number) => {
      for (let turn = 0; isRunning; turn += 1) {
        const names = Array.from({ length: number % 3 === 0 ? BATCH : 1 }, (_, at) => `${number}-${turn}-${at}`)
        sent.push(...names)
        const key = { 'Idempotency-Key': `${number}-${turn}` }
        if (names.length === 1) await sendUntilAnswered('/api/v1/log', eventOf(names[0] as string), key)
        else {
          const answer = await sendUntilAnswered('/api/v1/log/batch', names.map(eventOf), key)
          expect(answer).toMatchObject({ refused: 0 })
        }
      }
    }
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number))
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = sent.length
      while (sent.length < before + 10 * CLIENTS) await sleep(10)
      await stopProgram(program, 'SIGKILL')
      program = await serveProgram(directory.path, environment())
    }
    isRunning = false
    await Promise.all(clients)

    const sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
    try {
      const rows = await sql<{ name: string; times: number }[]>`
      select id_at_origin as name, count(*)::int as times from usage_logs group by 1`
      expect(rows.filter(({ times }) => times > 1)).toEqual([])
      expect(rows.map(({ name }) => name).sort()).toEqual(sent.toSorted())
      expect(await faultsInRollups(sql)).toEqual([])
      const check = await runProgram(['rollups', 'check'], directory.path, environment())
      expect([check.code, check.stdout]).toEqual([0, 'The sums are those of the events.\n'])
      await sql`update usage_rollups set requests = requests + 1 where shard <> 0`
      const wrong = await runProgram(['rollups', 'check'], directory.path, environment())
      expect(wrong.code).toBe(1)
      expect(wrong.stdout).toMatch(
        /^project [0-9a-f-]{36} {2}\d{4}-\d{2}-\d{2} {2}differ: [1-9]\d* sums of events, 0 of hours/,
      )
      const rebuilt = await runProgram(['rollups', 'rebuild'], directory.path, environment())
      expect([rebuilt.code, rebuilt.stdout.includes('repaired')]).toEqual([0, true])
      expect(await faultsInRollups(sql)).toEqual([])
    } finally {
      await sql.end({ timeout: 5 })
    }
  },
  2 * MS_MAX,
)
