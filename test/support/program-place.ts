import { afterAll, beforeAll } from 'vitest'
import { cloneDatabase, type TestDatabase } from './database.js'
import { temporaryDirectory } from './program.js'

/** A folder and a database for the programs that a file of tests starts; both go when it is over. */
export function placeForPrograms() {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let database: TestDatabase
  beforeAll(async () => {
    directory = await temporaryDirectory()
    database = await cloneDatabase()
  })
  afterAll(async () => {
    await database.drop()
    await directory.remove()
  })
  return { directory: () => directory.path, databaseUrl: () => database.url }
}
