import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type CertifiableUsage, createCertifiableStore } from '../../src/features/usage/price/certifiable-store.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'

type Store = ReturnType<typeof createCertifiableStore>

let database: TestDatabase
let app: UsageApp
let store: Store
beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url })
  store = createCertifiableStore(app.database.sql)
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

const EVER = { fromMs: 0, untilMs: NOON * 2 }

/** Logs calls at these milliseconds after noon, and gives their ids. */
async function logAt(project: ProjectId, ...offsets: number[]): Promise<string[]> {
  const ids: string[] = []
  for (const offset of offsets) {
    app.now = NOON + offset
    ids.push((await app.log({ alias: `at-${offset}` }, project)).log_id)
  }
  return ids
}

/** All pages of a walk, as the ids on each. */
async function walk(
  project: ProjectId,
  rowsMax: number,
  newestFirst = false,
  period = EVER,
  arrivedFromMs: number | null = null,
): Promise<string[][]> {
  const pages: string[][] = []
  let after: { loggedAt: string; id: string } | null = null
  while (true) {
    const rows: readonly CertifiableUsage[] = await store.page(project, {
      period,
      newestFirst,
      arrivedFromMs,
      after,
      rowsMax,
    })
    pages.push(rows.map(({ id }) => id))
    const last = rows.at(-1)
    if (last === undefined || rows.length < rowsMax) return pages
    after = { loggedAt: last.loggedAt.toISOString(), id: last.id }
  }
}

describe('the calls of a project, in the order of their times', () => {
  it('come in pages that neither repeat nor leave out a call, those of one millisecond neither', async () => {
    const project = newProject()
    const ids = await logAt(project, 0, 5, 5, 5, 9, 3_000_000_000)
    const [first, ...sameTime] = ids
    const inOrder = [first, ...sameTime.slice(0, 3).sort(), ...sameTime.slice(3)]
    for (const rowsMax of [1, 2, 3, 6, 100]) {
      expect((await walk(project, rowsMax)).flat()).toEqual(inOrder)
      expect((await walk(project, rowsMax, true)).flat()).toEqual(inOrder.toReversed())
    }
  })

  it('are those of a period, its end left out', async () => {
    const project = newProject()
    const [, second, third] = await logAt(project, 0, 10, 20, 30)
    const within = { fromMs: NOON + 10, untilMs: NOON + 30 }
    expect((await walk(project, 10, false, within)).flat()).toEqual([second, third])
    expect((await walk(project, 1, true, within)).flat()).toEqual([third, second])
    expect((await walk(project, 10, false, { fromMs: NOON + 10, untilMs: NOON + 10 })).flat()).toEqual([])
  })

  it('are those that came to the service from a moment on, whatever their times', async () => {
    const project = newProject()
    const [first] = await logAt(project, 50)
    // Logged later, and of an earlier time.
    app.now = NOON + 60
    const { log_id: late } = await app.log({ timestamp: new Date(NOON + 10).toISOString() }, project)
    const bornAt = NOON + 50
    expect((await walk(project, 1, false, EVER, bornAt)).flat()).toEqual([late, first])
    for (const newestFirst of [false, true]) {
      expect((await walk(project, 1, newestFirst, EVER, bornAt + 1)).flat()).toEqual([late])
      expect((await walk(project, 1, newestFirst, EVER, NOON + 61)).flat()).toEqual([])
      expect((await walk(project, 1, newestFirst, EVER, 0)).flat()).toHaveLength(2)
    }
  })

  it('are no one else’s', async () => {
    const [ours, theirs] = [newProject(), newProject()]
    const ids = await logAt(ours, 1, 2)
    await logAt(theirs, 1, 2)
    expect((await walk(ours, 10)).flat()).toEqual(ids)
    expect(await store.find(theirs, ids)).toEqual([])
  })

  it('show what a certificate is made of, as it was recorded', async () => {
    const project = newProject()
    app.now = NOON + 77
    const event = { alias: null, cached_input_tokens: 0, reasoning_tokens: 9, input_tokens: null, cost: '0.25' }
    const { log_id } = await app.log(event, project)
    const [row] = await store.find(project, [log_id])
    expect(row).toMatchObject({
      ...{ id: log_id, loggedAt: new Date(NOON + 77), provider: 'openai', model: 'gpt-4o-mini' },
      ...{ alias: null, profile: null, inputTokens: null, outputTokens: 340, cachedInputTokens: 0 },
      ...{ cacheReadInputTokens: null, cacheWrite5mInputTokens: null, cacheWrite1hInputTokens: null },
      ...{ reasoningTokens: 9, cost: '0.250000000000', costStatus: 'reported', registryProviderVersion: 'openai@2' },
    })
  })
})

describe('calls that are asked for by their ids', () => {
  it('are found whatever month they are of, and those that are not there are left out', async () => {
    const project = newProject()
    const ids = await logAt(project, 0, 1, 3_000_000_000)
    const found = await store.find(project, [...ids, randomUUID(), '019ca955-7300-7000-8000-000000000000'])
    expect(found.map(({ id }) => id).sort()).toEqual([...ids].sort())
    expect(await store.find(project, [])).toEqual([])
  })

  it('are found as well if their ids say nothing, or something wrong, of their time', async () => {
    const project = newProject()
    const strange = [randomUUID(), '019ca955-7300-7000-8000-000000000001']
    for (const id of strange) {
      await app.database.sql`
        insert into usage_logs (project_id, logged_at, id, provider, model, cost, cost_status)
        values (${project}, ${new Date(NOON).toISOString()}, ${id}, 'p', 'm', 0, 'free')`
    }
    const ids = [...(await logAt(project, 4)), ...strange]
    expect((await store.find(project, ids)).map(({ id }) => id).sort()).toEqual([...ids].sort())
  })
})
