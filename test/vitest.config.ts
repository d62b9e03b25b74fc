import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const inCi = process.env.CI === 'true'

/** A module may keep a timer of a clock that stands still: the files that fake time share no process with others. */
const FAKING_TIME = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .filter((path) => readFileSync(join(import.meta.dirname, path), 'utf8').includes('vi.useFakeTimers('))

const eachProject = {
  dir: import.meta.dirname,
  pool: 'forks',
  maxWorkers: 4,
  testTimeout: 60_000,
  hookTimeout: 120_000,
} as const

export default defineConfig({
  test: {
    // Not inherited by the projects: each would start a PostgreSQL of its own.
    globalSetup: [`${import.meta.dirname}/support/global-setup.ts`],
    projects: [
      // One process runs many files after each other: loading the same modules anew for each would take a third of the run.
      { test: { ...eachProject, name: 'all', include: ['**/*.test.ts'], exclude: FAKING_TIME, isolate: false } },
      { test: { ...eachProject, name: 'fake time', include: FAKING_TIME, isolate: true } },
    ],
    reporters: inCi
      ? ['default', ['json', { outputFile: `${import.meta.dirname}/../.test-report/report.json` }]]
      : ['default'],
  },
})
