import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BreakingProxy, startBreakingProxy } from '../support/breaking-proxy.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService } from '../support/service.js'

/** Long enough that nothing is taken for current any more, and for the probes to go on for a while. */
const AWAY_MS = Number(process.env.STALE_AWAY_MS ?? 3_000)
const RESOLVE = '/api/v1/aliases/resolve?alias=a'
const LIST = '/api/v1/aliases/?profile=default'
/** What else shows the aliases of a profile, each with the header in which it is asked for. */
const VIEWS: readonly (readonly [path: string, accept: string])[] = [
  [LIST, '*/*'],
  ['/api/v1/aliases/', '*/*'],
  ['/api/v1/aliases/a', '*/*'],
  ...['application/toml', 'application/json'].flatMap((accept) =>
    ['/api/v1/lockfile', '/api/v1/lockfile?profile=default'].map((path) => [path, accept] as const),
  ),
]
const STALE = 'x-llmring-stale'

let database: TestDatabase
let proxy: BreakingProxy
/** Goes past the proxy. */
let elsewhere: RunningService
let service: RunningService

beforeEach(async () => {
  database = await cloneDatabase()
  proxy = await startBreakingProxy(database.url)
  elsewhere = await startService({ LLMRING_DATABASE_URL: database.url })
  service = await startService({ LLMRING_DATABASE_URL: proxy.url })
})
afterEach(async () => {
  await service.close()
  await elsewhere.close()
  await proxy.close()
  await database.drop()
})

const goAway: Readonly<Record<string, () => void>> = {
  'refuses every connection': () => {
    proxy.admit('reset')
    proxy.break('reset')
  },
  'says nothing any more': () => proxy.silence(true),
}
const comeBack = () => {
  proxy.silence(false)
  proxy.admit('all')
  // What was silent has lost what was sent meanwhile.
  proxy.break('reset')
}

/** Four clients that resolve without a pause to breathe, until `stop`. */
function resolveAllTheTime(key: string) {
  const answers: { readonly status: number; readonly stale: string | null; readonly model: unknown }[] = []
  let running = true
  const client = async () => {
    while (running) {
      const { status, headers, json } = await service.call(RESOLVE, { key })
      answers.push({ status, stale: headers.get(STALE), model: json['model'] })
      await sleep(5)
    }
  }
  const clients = Promise.all(Array.from({ length: 4 }, client))
  const stop = async () => {
    running = false
    await clients
    return answers
  }
  return { answers, stop }
}

const makeKey = async () => {
  const project = await elsewhere.service.projects.verbs.create('p')
  return elsewhere.service.projects.verbs.createKey({ projectId: project.id, name: null, role: 'write' })
}
const bind = (key: string, model: string) =>
  elsewhere.call('/api/v1/aliases/bind', { key, json: { alias: 'a', model } })
const seen = async (key: string) => {
  const { status, headers, json } = await service.call(RESOLVE, { key })
  return [status, headers.get(STALE), json['model'] ?? json['code']]
}
const metric = async (name: string) => {
  const { text } = await service.call('/metrics')
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

describe('while the database', () => {
  it.each(Object.entries(goAway))('%s', { timeout: 60_000 }, async (_how, leave) => {
    const made = await makeKey()
    const revoked = await makeKey()
    for (const { key } of [made, revoked]) {
      await bind(key, 'before:outage')
      await eventually(async () => expect(await seen(key)).toEqual([200, null, 'before:outage']))
    }
    // Of this one another alias was asked for, and nothing else.
    const glanced = await makeKey()
    await bind(glanced.key, 'before:outage')
    const other = { alias: 'other', model: 'before:outage' }
    await elsewhere.call('/api/v1/aliases/bind', { key: glanced.key, json: other })
    expect((await service.call('/api/v1/aliases/other', { key: glanced.key })).status).toBe(200)
    const views = await Promise.all(
      [made, glanced].flatMap(({ key }) =>
        VIEWS.map(async ([path, Accept]) => {
          const { text } = await elsewhere.call(path, { key, headers: { Accept } })
          return { key, path, Accept, text }
        }),
      ),
    )
    // Resolved, listed (of the profile and of all), and as lockfiles: of two projects and, but for resolve, a third one.
    await eventually(async () => expect(await metric('llmring_alias_snapshots')).toBe(14))
    const before = await metric('llmring_stale_answers_total')
    const load = resolveAllTheTime(made.key)
    leave()
    try {
      await eventually(() => expect(Number(load.answers.at(-1)?.stale)).toBeGreaterThan(0))
      await bind(made.key, 'after:outage')
      await elsewhere.service.projects.revokeKey(undefined, revoked.id)
      await sleep(AWAY_MS)
      expect(await metric('llmring_database_away')).toBe(1)
      expect(await metric('llmring_stale_answers_total')).toBeGreaterThan(before)
      expect((await seen(revoked.key))[0]).toBe(200)

      for (const { key, path, Accept, text } of views) {
        const stale = await service.call(path, { key, headers: { Accept } })
        expect([path, stale.status, Number(stale.headers.get(STALE)) > 0, stale.text]).toEqual([path, 200, true, text])
        const has = { Accept, 'If-None-Match': stale.headers.get('etag') ?? '' }
        const unchanged = await service.call(path, { key, headers: has })
        expect([path, unchanged.status, Number(unchanged.headers.get(STALE)) > 0]).toEqual([path, 304, true])
      }
      const missing = await service.call('/api/v1/aliases/never-bound', { key: made.key })
      expect([missing.status, missing.json['code']]).toEqual([404, 'not-found'])
      expect(Number(missing.headers.get(STALE))).toBeGreaterThan(0)
      const unlisted = await service.call('/api/v1/aliases/?profile=never-listed', { key: made.key })
      const unknown = await service.call(RESOLVE, { key: 'never-seen-before' })
      const written = await service.call('/api/v1/aliases/bind', { key: made.key, json: { alias: 'b', model: 'x:y' } })
      for (const { status, headers } of [unlisted, unknown, written]) {
        expect([status, Number(headers.get('retry-after'))]).toEqual([503, 1])
      }

      comeBack()
      await eventually(async () => expect(await seen(made.key)).toEqual([200, null, 'after:outage']))
      expect((await seen(revoked.key))[0]).toBe(401)
      expect((await service.call(LIST, { key: made.key })).text).toContain('after:outage')
      const current = await service.call('/api/v1/aliases/never-bound', { key: made.key })
      expect([current.status, current.headers.get(STALE)]).toEqual([404, null])
      expect(await metric('llmring_database_away')).toBe(0)
    } finally {
      await load.stop()
    }
    const { answers } = load
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    const ages = answers.flatMap(({ stale }) => (stale === null ? [] : [Number(stale)]))
    expect(Math.max(...ages)).toBeGreaterThanOrEqual(Math.floor(AWAY_MS / 1000))
    expect(answers.filter(({ stale, model }) => stale !== null && model !== 'before:outage')).toEqual([])
  })
})
