import { afterAll, beforeAll, expect, test } from 'vitest'
import { withSql } from '../fixtures/filled-database.js'
import { call } from '../support/call.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { holdTransaction } from '../support/held-transaction.js'
import { serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { startReceiver, verifyWebhook } from '../support/webhook-receiver.js'

/** A crowded machine may take long to check what is checked every three seconds. */
const TOLD_MS_MAX = 40_000

let database: TestDatabase
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
beforeAll(async () => {
  database = await cloneDatabase()
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await directory.remove()
  await database.drop()
})

test('a killed service loses no delivery, and the next one sends them in order', async () => {
  const environment = {
    LLMRING_DATABASE_URL: database.url,
    LLMRING_WEBHOOK_PRIVATE: 'true',
    LLMRING_KEY_PEPPER: 'a pepper of the tests',
  }
  const hook = await startReceiver()
  const killed = await serveProgram(directory.path, environment)
  const { json } = await call(killed.url, '/api/v1/webhook', { method: 'PUT', json: { url: hook.url } })
  // The first one is never answered; the others wait behind it.
  hook.answer(() => undefined)
  const written: number[] = []
  for (const alias of ['one', 'two', 'three']) {
    const bound = await call(killed.url, '/api/v1/aliases/bind', { json: { alias, model: 'openai:gpt-4o-mini' } })
    written.push(bound.json.revision)
  }
  await hook.until(1)
  await stopProgram(killed, 'SIGKILL')
  hook.answer(204)

  const next = await serveProgram(directory.path, environment)
  try {
    // The lease of the killed one ends.
    await withSql(database.url, (sql) => sql`update webhooks set due_at = now() - interval '1 second'`)
    const came = await hook.until(4)
    expect(hook.revisions()).toEqual([written[0], ...written])
    expect(came[0]?.headers['webhook-id']).toBe(came[1]?.headers['webhook-id'])
    for (const one of came) expect(verifyWebhook(json.secret, one)).toBe(true)
    await eventually(async () =>
      expect((await call(next.url, '/api/v1/webhook')).json).toMatchObject({ waiting: 0, next_attempt_at: null }),
    )
  } finally {
    await stopProgram(next)
    await hook.close()
  }
})

test('a service that is killed while it tells of a threshold has told of nothing, and the next one tells once', async () => {
  const environment = {
    LLMRING_DATABASE_URL: database.url,
    LLMRING_WEBHOOK_PRIVATE: 'true',
    LLMRING_KEY_PEPPER: 'a pepper of the tests',
  }
  const hook = await startReceiver()
  const put = (url: string, path: string, json: unknown) =>
    call(url, path, { key: 'spender', method: 'PUT', json }).then(({ status }) => expect(status).toBe(200))
  await withSql(database.url, async (sql) => {
    const count = async () => {
      const [row] = await sql`
        select (select count(*)::int from budget_crossings) as crossings, (select count(*)::int from webhook_deliveries) as deliveries`
      return row
    }
    const killed = await serveProgram(directory.path, environment)
    await put(killed.url, '/api/v1/webhook', { url: hook.url })
    await put(killed.url, '/api/v1/budgets', { budgets: [{ amount: '10', period: 'month', thresholds: [50] }] })
    // The crossing is written, and its delivery cannot be: the transaction is killed between the two.
    const letGo = await holdTransaction(sql, (tx) => tx`lock table webhook_deliveries in exclusive mode`)
    const event = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1, output_tokens: 1, cost: '5.5' }
    expect((await call(killed.url, '/api/v1/log', { key: 'spender', json: event })).status).toBe(200)
    const telling = () => sql`
      select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into webhook_deliveries%' and pid <> pg_backend_pid()`
    await eventually(async () => expect(await telling()).toHaveLength(1), TOLD_MS_MAX)
    await stopProgram(killed, 'SIGKILL')
    await letGo()
    await eventually(async () => expect(await telling()).toHaveLength(0), TOLD_MS_MAX)
    expect(await count()).toEqual({ crossings: 0, deliveries: 0 })

    // The next one is killed while the receiver has the delivery and has not answered.
    hook.answer(() => undefined)
    const second = await serveProgram(directory.path, environment)
    await eventually(() => expect(hook.received).toHaveLength(1), TOLD_MS_MAX)
    await stopProgram(second, 'SIGKILL')
    expect(await count()).toEqual({ crossings: 1, deliveries: 1 })
    hook.answer(204)
    const third = await serveProgram(directory.path, environment)
    try {
      await sql`update webhooks set due_at = now() - interval '1 second'`
      await eventually(async () => expect(await count()).toEqual({ crossings: 1, deliveries: 0 }), TOLD_MS_MAX)
      expect(new Set(hook.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
      const told = hook.received.map(({ body }) => JSON.parse(body))
      expect(told.map(({ type, data }) => [type, data.threshold, data.spent])).toEqual([
        ['budget.threshold', 50, '5.500000000000'],
        ['budget.threshold', 50, '5.500000000000'],
      ])
    } finally {
      await stopProgram(third)
    }
  })
  await hook.close()
})
