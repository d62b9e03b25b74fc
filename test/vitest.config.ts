import { defineConfig } from 'vitest/config'

const inCi = process.env.CI === 'true'

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    globalSetup: [`${import.meta.dirname}/support/global-setup.ts`],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'all', include: ['**/*.test.ts'] } },
      // Two instances on one database and one Redis have to keep the same contract.
      {
        extends: true,
        test: { name: 'two instances', include: ['contract/**/*.test.ts'], env: { TEST_INSTANCES: '2' } },
      },
    ],
    reporters: inCi
      ? ['default', ['json', { outputFile: `${import.meta.dirname}/../.test-report/report.json` }]]
      : ['default'],
  },
})
