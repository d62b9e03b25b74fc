import { defineConfig } from 'drizzle-kit'

/** For `drizzle-kit studio` only: migrations are hand-written SQL under `migrations/`, applied by the service itself. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/tables/*.ts',
  dbCredentials: { url: process.env['LLMRING_DATABASE_URL'] ?? 'postgres://localhost/llmring' },
})
