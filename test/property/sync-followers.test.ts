import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { FOLLOWERS, type Replica } from '../support/followers.js'
import { type RunningService, startService } from '../support/service.js'

/** How long interleavings are tried; a night may try more. */
const SECONDS = Number(process.env.SYNC_PROPERTY_SECONDS ?? 5)
/** However slow the machine is. */
const RUNS_MIN = 2

let database: TestDatabase
let services: readonly RunningService[]
beforeAll(async () => {
  database = await cloneDatabase()
  const environment = { LLMRING_DATABASE_URL: database.url }
  services = [await startService(environment), await startService(environment)]
})
afterAll(async () => {
  for (const service of services) await service.close()
  await database.drop()
})

const PROFILES = ['default', 'staging', 'prod']
const profile = fc.constantFrom(...PROFILES)
const alias = fc.constantFrom('a', 'b', 'c', 'd')
const model = fc.constantFrom('x:1', 'x:2', 'x:3')
const binding = fc.record({ alias, model, profile })

/** A write, as a request: [method, path, body]. What it asks for may be impossible; then it changes nothing. */
type Write = readonly [method: string, path: string, json?: unknown]
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 4, arbitrary: binding.map((json): Write => ['POST', '/api/v1/aliases/bind', json]) },
  {
    weight: 2,
    arbitrary: fc.array(binding, { maxLength: 8 }).map((json): Write => ['POST', '/api/v1/aliases/bulk_upsert', json]),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ alias, profile })
      .map((one): Write => [...(['DELETE', `/api/v1/aliases/${one.alias}?profile=${one.profile}`] as const)]),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 12 }).map((to): Write => ['POST', '/api/v1/rollback', { to_revision: to }]),
  },
  {
    weight: 1,
    arbitrary: fc.uniqueArray(alias).map((aliases): Write => {
      const bindings = aliases.map((name, at) => ({ alias: name, models: [`x:${at}`] }))
      return ['PUT', '/api/v1/lockfile', { version: '1.0', profiles: { prod: { name: 'prod', bindings } } }]
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ from: profile, to: profile })
      .map(({ from, to }): Write => ['POST', `/api/v1/profiles/${from}/promote`, { to }]),
  },
)
/** Those of one writer: on which instance each is made, and what it waits for before. */
const writer = fc.array(fc.record({ write, instance: fc.nat(1), pauseMs: fc.constantFrom(0, 0, 0, 5, 20) }), {
  minLength: 1,
  maxLength: 20,
})

/** A follower: its manner, its instance, whom it follows, and after how many milliseconds it is cut, again and again. */
const follower = fc.record({
  manner: fc.constantFrom(...(Object.keys(FOLLOWERS) as (keyof typeof FOLLOWERS)[])),
  instance: fc.nat(1),
  profile: fc.option(profile),
  cutsMs: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
})

let runs = 0
const counts = new Map<string, number>()
const at = (instance: number): RunningService => services[instance] as RunningService

async function run(writers: readonly (typeof writer extends fc.Arbitrary<infer T> ? T : never)[], key: string) {
  await Promise.all(
    writers.map(async (writes) => {
      for (const {
        write: [method, path, json],
        instance,
        pauseMs,
      } of writes) {
        if (pauseMs > 0) await sleep(pauseMs)
        const { status, text } = await at(instance).call(path, { key, method, ...(json === undefined ? {} : { json }) })
        counts.set(`${path.split('?', 1)[0]?.split('/').at(-1)} ${status}`, 1)
        if (status >= 500) throw new Error(text)
      }
    }),
  )
}

/** What the table says that a profile holds, or all of them. */
async function tableOf(key: string, of: string | null): Promise<Record<string, unknown>> {
  const list = (await at(0).call(`/api/v1/aliases/${of === null ? '' : `?profile=${of}`}`, { key })).json as {
    readonly profile: string
    readonly alias: string
    readonly models: readonly string[]
    readonly revision: number
  }[]
  return Object.fromEntries(list.map((one) => [`${one.profile}/${one.alias}`, `${one.revision} ${one.models.join()}`]))
}

const shown = (replica: Replica) =>
  Object.fromEntries([...replica].map(([name, { revision, models }]) => [name, `${revision} ${models.join()}`]))

describe('whoever follows changes, however often it is cut', { timeout: 60_000 + SECONDS * 2_000 }, () => {
  it('has what the table has, when the writers on two instances are done', async () => {
    const until = performance.now() + SECONDS * 1_000
    const property = fc.asyncProperty(
      fc.array(writer, { minLength: 1, maxLength: 3 }),
      fc.array(follower, { minLength: 3, maxLength: 6 }),
      async (writers, followers) => {
        // The time limits of the library would end a run that is about to fail.
        if (runs >= RUNS_MIN && performance.now() > until) return
        const key = `interleaved-${runs++}`
        await at(0).call('/api/v1/aliases/bind', { key, json: { alias: 'a', model: 'x:0' } })
        const followed = followers.map(({ manner, instance, profile: of, cutsMs }) => ({
          of,
          ...FOLLOWERS[manner]({ url: at(instance).url, key, profile: of, cutsMs }),
        }))
        try {
          await run(writers, key)
          for (const { replica, of, faults } of followed) {
            await eventually(async () => expect(shown(replica)).toEqual(await tableOf(key, of)))
            expect(faults).toEqual([])
          }
        } finally {
          await Promise.all(followed.map(({ stop }) => stop()))
        }
      },
    )
    await fc.assert(property, { numRuns: 10_000, endOnFailure: true })
    console.info(`${runs} interleavings: ${[...counts.keys()].sort().join(', ')}`)
    expect(runs).toBeGreaterThanOrEqual(RUNS_MIN)
  })
})
