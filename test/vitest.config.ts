import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const inCi = process.env.CI === 'true'

/**
 * What one instance does is seen through the other: what is written, revoked or remembered. A request that is judged by
 * its own bytes alone (its method, headers, parameters, body) is judged alike however many instances there are.
 */
const AMONG_INSTANCES = ['answers', 'examples', 'refused-keys', 'roles', 'strangers', 'warm-lane']

/** A module may keep a timer of a clock that stands still: the files that fake time share no process with others. */
const FAKING_TIME = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .filter((path) => readFileSync(join(import.meta.dirname, path), 'utf8').includes('vi.useFakeTimers('))

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    globalSetup: [`${import.meta.dirname}/support/global-setup.ts`],
    pool: 'forks',
    maxWorkers: 4,
    // One process runs many files after each other: loading the same modules anew for each would take a third of the run.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'all', include: ['**/*.test.ts'], exclude: FAKING_TIME } },
      { extends: true, test: { name: 'fake time', include: FAKING_TIME, isolate: true } },
      // Two instances on one database and one Redis have to keep the same contract.
      {
        extends: true,
        test: {
          name: 'two instances',
          include: AMONG_INSTANCES.map((name) => `contract/${name}.test.ts`),
          env: { TEST_INSTANCES: '2' },
        },
      },
    ],
    reporters: inCi
      ? ['default', ['json', { outputFile: `${import.meta.dirname}/../.test-report/report.json` }]]
      : ['default'],
  },
})
