import { defineConfig } from 'vitest/config'

const inCi = process.env.CI === 'true'

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: [`${import.meta.dirname}/support/global-setup.ts`],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: inCi
      ? ['default', ['json', { outputFile: `${import.meta.dirname}/../.test-report/report.json` }]]
      : ['default'],
  },
})
