import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { arrayText } from '../../src/db/array-text.js'
import { createClient, type Sql } from '../../src/db/client.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

let database: TestDatabase
let sql: Sql

beforeAll(async () => {
  database = await cloneDatabase()
  sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
})
afterAll(async () => {
  await sql.end()
  await database.drop()
})

const hostile = fc.constantFrom(
  'NULL',
  'null',
  '',
  ' ',
  '{}',
  '"',
  '\\',
  '\\"',
  ',',
  '{"a":"\\\\"}',
  '\n',
  "'",
  '\u2028',
  '🎉',
)
const storable = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => text.isWellFormed() && !text.includes('\0'))
const text = fc.oneof(
  fc.constant(null),
  hostile,
  storable,
  fc.array(hostile).map((parts) => parts.join('')),
)

it('any texts come back from Postgres as they went in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 20 }), async (values) => {
      const [row] = await sql`select to_json(${arrayText(values)}::text::text[]) as back`
      expect(row?.back).toEqual(values)
    }),
    { numRuns: 150 },
  )
})

it('numbers, booleans and JSON come back as they went in', async () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
  await fc.assert(
    fc.asyncProperty(
      fc.array(finite),
      fc.array(fc.boolean()),
      fc.array(fc.dictionary(storable, text)),
      async (numbers, flags, objects) => {
        const json = objects.map((object) => JSON.stringify(object))
        const [row] = await sql`
        select to_json(${arrayText(numbers)}::text::float8[]) as numbers, to_json(${arrayText(flags)}::text::boolean[]) as flags,
          to_json(${arrayText(json)}::text::jsonb[]) as objects`
        expect(row?.numbers.map(Number)).toEqual(numbers.map((number) => (number === 0 ? 0 : number)))
        expect(row?.flags).toEqual(flags)
        expect(row?.objects).toEqual(json.map((object) => JSON.parse(object)))
      },
    ),
    { numRuns: 60 },
  )
})
