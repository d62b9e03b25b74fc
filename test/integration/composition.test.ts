import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  columnDifferences,
  insertMarkedRow,
  readCatalog,
  readDeclaredTables,
  tablesOfProjects,
  tablesWithRows,
} from '../support/composed-tables.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

const ADMIN = '/api/v1/admin/projects'
/** Its rows outlive an erasure, revoked and without names, so that no old key becomes a new project. */
const KEPT = ['project_keys']

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
const sql = () => service.sql
const operator = (path: string, init: { method?: string; json?: unknown } = {}) =>
  service.call(`${ADMIN}${path}`, { key: OPERATOR_KEY, ...init })
const newProject = async () => (await operator('', { json: { name: 'p' } })).json.id as string

/** The operator erases it. */
async function eraseFromOutside(id: string): Promise<void> {
  expect((await operator(`/${id}`, { method: 'DELETE' })).status).toBe(200)
}

/** Fills every table of projects for one, and says which of them an export and an erasure leave out. */
async function leftOut(erase = eraseFromOutside): Promise<{ exported: string[]; erased: string[] }> {
  const projectId = await newProject()
  const neighbour = await newProject()
  const catalog = await readCatalog(sql())
  const tables = tablesOfProjects(catalog)
  const marks = new Map<string, { text: string; number: string }>()
  for (const table of tables) marks.set(table, await insertMarkedRow(sql(), catalog, table, projectId))
  const lines = (await operator(`/${projectId}/export`)).text
  const isShown = ({ text, number }: { text: string; number: string }) => lines.includes(text) || lines.includes(number)
  const exported = tables.filter((table) => !isShown(marks.get(table) ?? { text: '', number: '' }))
  await erase(projectId)
  const erased = (await tablesWithRows(sql(), tables, projectId)).filter((table) => !KEPT.includes(table))
  expect((await operator(`/${neighbour}`)).status).toBe(200)
  return { exported, erased }
}

describe('the composed service', () => {
  it('exports and erases every table that has a project_id', async () => {
    expect(tablesOfProjects(await readCatalog(sql())).length).toBeGreaterThan(5)
    expect(await leftOut()).toEqual({ exported: [], erased: [] })
  })

  it('lets a project erase itself as the operator erases it, if it says which, and leaves a stranger what it has', async () => {
    const stranger = await newProject()
    const catalog = await readCatalog(sql())
    const tables = tablesOfProjects(catalog)
    for (const table of tables) await insertMarkedRow(sql(), catalog, table, stranger)
    const other = await startService({ LLMRING_DATABASE_URL: database.url })
    const before = await sql()`select count(*)::int as entries from log_entries`
    try {
      const left = await leftOut(async (id) => {
        const keyOf = async (role: string) => (await operator(`/${id}/keys`, { json: { role } })).json.key as string
        const [key, writer] = [await keyOf('admin'), await keyOf('write')]
        const remove = (query: string, as = key) =>
          service.call(`/api/v1/project${query}`, { key: as, method: 'DELETE' })
        expect((await remove(`?confirm=${id}`, writer)).status).toBe(403)
        for (const query of ['', '?confirm=', `?confirm=${stranger}`]) expect((await remove(query)).status).toBe(422)
        for (const one of [service, other]) expect((await one.call('/api/v1/logs', { key: writer })).status).toBe(200)
        const { status, json } = await remove(`?confirm=${id}`)
        expect([status, json.erased, json.rows.usage > 0, json.rows.budgets > 0]).toEqual([200, true, true, true])
        expect((await remove(`?confirm=${id}`)).status).toBe(401)
        await eventually(async () => expect((await other.call('/api/v1/logs', { key: writer })).status).toBe(401))
      })
      expect(left).toEqual({ exported: [], erased: [] })
    } finally {
      await other.close()
    }
    expect(await tablesWithRows(sql(), tables, stranger)).toEqual(tables)
    expect(await sql()`select count(*)::int as entries from log_entries`).toEqual(before)
    const { name } = (await operator(`/${stranger}`)).json
    const { key } = (await operator(`/${stranger}/keys`, { json: { role: 'admin' } })).json
    expect((await service.call(`/api/v1/project?confirm=${name}`, { key, method: 'DELETE' })).status).toBe(200)
  })

  it('keeps of an erased project its keys alone, revoked and without names', async () => {
    const id = await newProject()
    const { key } = (await operator(`/${id}/keys`, { json: { name: 'a person’s laptop' } })).json
    await operator(`/${id}`, { method: 'DELETE' })
    const rows = await sql()`select name, revoked_at is not null as revoked from project_keys where project_id = ${id}`
    expect([...rows]).toEqual([{ name: null, revoked: true }])
    expect((await service.call('/api/v1/aliases/', { key })).status).toBe(401)
  })

  it('gives every feature a name of its own, by which an erasure counts', async () => {
    const names = service.service.features.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    const erased = (await operator(`/${await newProject()}`, { method: 'DELETE' })).json.rows
    const erasing = service.service.features.filter(({ erase }) => erase !== undefined)
    expect(Object.keys(erased)).toEqual(erasing.map(({ name }) => name))
  })

  it('is ready when every feature that has a say in it is', async () => {
    const { json } = await service.call('/readyz')
    expect(json).toEqual({ status: 'ready', checks: { database: true, accepting: true, usage: true, log: true } })
  })
})

describe('a table that the code forgot', () => {
  afterEach(async () => {
    await sql()`drop table if exists later_things`
  })

  it('is found if nothing exports or erases it', async () => {
    await sql()`create table later_things (project_id uuid not null, note text)`
    expect(await leftOut()).toEqual({ exported: ['later_things'], erased: ['later_things'] })
    await sql()`delete from later_things`
  })
})

describe('the declared tables', () => {
  it('have the columns, types, nulls and defaults that the migrations made', async () => {
    expect(columnDifferences(await readCatalog(sql()), await readDeclaredTables())).toEqual([])
  })

  it('are compared by a rule that finds a column, a type and a table that differ', async () => {
    const catalog = await readCatalog(sql())
    const declared = await readDeclaredTables()
    const without = catalog.filter(({ table, column }) => table !== 'receipts' || column !== 'canonical')
    expect(columnDifferences(without, declared)).toEqual(['only in the code: receipts.canonical bytea not null'])
    const other = catalog.map((column) => (column.column === 'latency_ms' ? { ...column, type: 'bigint' } : column))
    expect(columnDifferences(other, declared)).toHaveLength(2)
    const more = [...catalog, { table: 'x', column: 'y', type: 'text', notNull: false, hasDefault: true }]
    expect(columnDifferences(more, declared)).toEqual(['only in the database: x.y text default'])
  })
})
