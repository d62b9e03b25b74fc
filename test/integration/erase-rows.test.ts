import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eraseRows } from '../../src/db/erase-rows.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let service: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await service.close()
  await database.drop()
})

const createProject = async (): Promise<string> =>
  (await service.call('/api/v1/admin/projects', { key: OPERATOR_KEY, json: { name: 'p' } })).json.id

/** Members of a batch receipt, written without the receipt: a hundred thousand of them take no time. */
async function addMembers(projectId: string, count: number): Promise<void> {
  await service.sql`
    insert into receipt_members (project_id, receipt_id, position, log_id, logged_at)
    select ${projectId}, concat('rcpt_', n % 5), n, gen_random_uuid(), now()
    from generate_series(1, ${count}::text::integer) as n`
}

async function addSums(projectId: string, count: number): Promise<void> {
  await service.sql`
    insert into usage_rollups
    select ${projectId}, 'hour', '2026-01-01T00:00:00Z'::timestamptz + n % 700 * interval '1 hour', gen_random_uuid(), 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from generate_series(1, ${count}::text::integer) as n`
}

async function countMembers(projectId: string): Promise<number> {
  const [row] = await service.sql<{ n: number }[]>`
    select count(*)::integer as n from receipt_members where project_id = ${projectId}`
  return row?.n ?? -1
}

describe('erasing rows of a project', () => {
  it('takes the first ones in the order of the key, as many as it is told, and none of another project', async () => {
    const [own, other] = [randomUUID(), randomUUID()]
    await addMembers(own, 25)
    await addMembers(other, 5)
    const erase = () =>
      eraseRows(service.sql, { table: 'receipt_members', key: ['receipt_id', 'position'], projectId: own, rowsMax: 10 })
    expect(await erase()).toBe(10)
    const left = await service.sql<{ place: string }[]>`
      select concat(receipt_id, ' ', position) as place from receipt_members where project_id = ${own}
      order by receipt_id, position`
    expect(left.length).toBe(15)
    expect(left[0]?.place).toBe('rcpt_2 2')
    expect([await erase(), await erase(), await erase()]).toEqual([10, 5, 0])
    expect(await countMembers(other)).toBe(5)
  })

  it.each([
    ['members of batch receipts', 'receipt_members', addMembers],
    ['sums of usage', 'usage_rollups', addSums],
  ])('is done for a project with many %s of which the planner knows nothing yet', async (_, table, add) => {
    const project = await createProject()
    // As after the first large batch of a project, until the table is analyzed again.
    await service.sql`alter table ${service.sql(table)} set (autovacuum_enabled = false)`
    await add(randomUUID(), 500)
    await service.sql`analyze ${service.sql(table)}`
    await add(project, 100_000)
    const path = `/api/v1/admin/projects/${project}`
    expect((await service.call(path, { method: 'DELETE', key: OPERATOR_KEY })).status).toBe(200)
    const left = await service.sql`select 1 from ${service.sql(table)} where project_id = ${project}`
    expect(left.length).toBe(0)
  })
})
