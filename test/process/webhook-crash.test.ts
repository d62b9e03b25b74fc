import { afterAll, beforeAll, expect, test } from 'vitest'
import { withSql } from '../fixtures/filled-database.js'
import { call } from '../support/call.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { startReceiver, verifyWebhook } from '../support/webhook-receiver.js'

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
