import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { ENVIRONMENT } from '../../src/config/env.js'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import { ROOT } from '../support/readme.js'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const SETTINGS = Object.keys(ENVIRONMENT.shape)
const { LLMRING_PORT, LLMRING_SHUTDOWN_TIMEOUT_MS } = ENVIRONMENT.parse({})
const shutdownSeconds = LLMRING_SHUTDOWN_TIMEOUT_MS / 1000

type ComposeService = {
  readonly image: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly healthcheck?: unknown
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly string[]
  readonly stop_grace_period?: string
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml')) as {
    readonly services: Readonly<Record<string, ComposeService>>
    readonly volumes: Readonly<Record<string, unknown>>
  }
  const { postgres, redis, llmring } = compose.services

  test('runs PostgreSQL, Redis and the service, which starts after both are healthy', () => {
    expect(Object.keys(compose.services)).toEqual(['postgres', 'redis', 'llmring'])
    expect([postgres?.image, redis?.image]).toEqual(['postgres:18', 'redis:7'])
    const healthy = { condition: 'service_healthy' }
    expect(llmring?.depends_on).toEqual({ postgres: healthy, redis: healthy })
    expect(postgres?.healthcheck).toBeDefined()
    expect(redis?.healthcheck).toBeDefined()
    for (const service of Object.values(compose.services)) expect(service).toMatchObject({ restart: 'unless-stopped' })
  })

  test('lets nobody beyond this machine in by default', () => {
    expect(llmring?.ports).toEqual([`\${PUBLISH:-127.0.0.1:${LLMRING_PORT}}:${LLMRING_PORT}`])
    expect([postgres?.ports, redis?.ports]).toEqual([undefined, undefined])
  })

  test('gives the service settings that it accepts, and the password that the database gets', () => {
    const environment = llmring?.environment ?? {}
    for (const name of Object.keys(environment)) expect(SETTINGS).toContain(name)
    const set = Object.entries(environment).filter(([, value]) => value !== '')
    expect(ENVIRONMENT.safeParse(Object.fromEntries(set)).error).toBeUndefined()
    const password = postgres?.environment?.['POSTGRES_PASSWORD'] ?? 'none'
    expect(password).toMatch(/^\$\{POSTGRES_PASSWORD:-/)
    expect(environment['LLMRING_DATABASE_URL']).toBe(`postgres://llmring:${password}@postgres:5432/llmring`)
    expect(postgres?.environment).toMatchObject({ POSTGRES_USER: 'llmring', POSTGRES_DB: 'llmring' })
  })

  test('keeps the data in a named volume', () => {
    const [volume = ''] = postgres?.volumes ?? []
    const [guard = ''] = llmring?.volumes ?? []
    expect(Object.keys(compose.volumes)).toEqual([volume.split(':')[0], guard.split(':')[0]])
    expect(llmring?.environment?.['LLMRING_TLOG_GUARD']).toBe(`file:${guard.split(':')[1]}/tlog-guard`)
  })

  test('builds the image from files that exist, and waits long enough for it to stop', () => {
    expect(existsSync(join(ROOT, llmring?.build?.context ?? '-', llmring?.build?.dockerfile ?? '-'))).toBe(true)
    expect(Number.parseInt(llmring?.stop_grace_period ?? '0', 10)).toBeGreaterThan(shutdownSeconds)
  })
})

describe('the image', () => {
  const recipe = read('.image/Containerfile')
  const stages = recipe.split(/^FROM /m).slice(1)
  const last = stages.at(-1) ?? ''

  test('is made of files that its context holds', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    const copied = [...recipe.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '))
    const holds = (context: string) => (path: string) => path === context || path.startsWith(`${context}/`)
    for (const path of copied)
      expect(
        allowed.filter((context) => holds(context)(path)),
        path,
      ).toHaveLength(1)
    for (const context of allowed) expect(copied.filter(holds(context)), context).not.toEqual([])
    for (const path of allowed) expect(existsSync(join(ROOT, path)), path).toBe(true)
    expect(read('.dockerignore')).toMatch(/^\*$/m)
  })

  test('holds what the program reads beside its code', () => {
    for (const path of ['migrations', 'src/db/citus.sql']) expect(last).toContain(`COPY ${path} ./${path}\n`)
  })

  test('holds production dependencies alone, without the embedded database', () => {
    expect(stages).toHaveLength(3)
    expect(last).toMatch(/COPY --from=dependencies/)
    expect(stages[1]).toMatch(/^RUN npm ci --omit=dev --omit=optional /m)
    expect(last).not.toMatch(/npm /)
  })

  test('is made on a Node that the gate can try, beside the oldest that the program runs on', () => {
    const tried = /^\[ \$# -gt 0 \] \|\| set -- (.+)$/m.exec(read('.ci/nodes'))?.[1]?.split(' ') ?? []
    expect(/^ARG NODE=node:(\d+)-bookworm-slim$/m.exec(recipe)?.[1]).toBe('24')
    expect(tried).toContain('24')
    expect(`>=${tried[0]}`).toBe(JSON.parse(read('package.json')).engines.node)
  })

  test('runs as nobody in particular, answers for its health and stops on SIGTERM', () => {
    expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m)
    expect(last).toMatch(/^STOPSIGNAL SIGTERM$/m)
    expect(last).toMatch(/^HEALTHCHECK [\s\S]+\/livez/m)
    expect(last).toMatch(new RegExp(`^EXPOSE ${LLMRING_PORT}$`, 'm'))
  })
})

describe('the unit for systemd', () => {
  const path = join(ROOT, '.deploy/llmring-server.service')
  const unit = readFileSync(path, 'utf8')

  test('signals the service alone, waits for its drain, and does not retry what no retry mends', () => {
    expect(unit).toMatch(/^KillMode=mixed$/m)
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(shutdownSeconds)
    expect(unit).toMatch(/^RestartPreventExitStatus=75 78$/m)
    expect(unit).toMatch(/^User=(?!root)\w+$/m)
  })

  const verifies = spawnSync('systemd-analyze', ['--version']).status === 0
  test.skipIf(!verifies)('is accepted by systemd-analyze, where it is on the PATH', () => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
    const complaints = stderr.split('\n').filter((line) => line.includes('llmring-server.service'))
    // Where this machine keeps its node is no fault of the unit.
    expect(complaints.filter((line) => !line.includes('is not executable'))).toEqual([])
  })
})

type Probe = { readonly httpGet: { readonly path: string; readonly port: string } }
type Container = {
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } }
}
type Manifest = {
  readonly kind: string
  readonly spec: {
    readonly selector: unknown
    readonly minAvailable: number
    readonly replicas: number
    readonly ports: readonly { readonly targetPort: string }[]
    readonly template: {
      readonly metadata: { readonly labels: unknown }
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Container[] }
    }
  }
}

describe('the manifest for Kubernetes', () => {
  const text = read('.deploy/kubernetes.yaml')
  const documents = parseAllDocuments(text)
  const [deployment, service, budget] = documents.map((document) => document.toJS() as Manifest)
  const pod = deployment?.spec.template.spec
  const container = pod?.containers[0]

  test('is a Deployment, its Service and its PodDisruptionBudget, for the same pods', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([])
    expect([deployment, service, budget].map((one) => one?.kind)).toEqual([
      'Deployment',
      'Service',
      'PodDisruptionBudget',
    ])
    const labels = deployment?.spec.template.metadata.labels
    expect(deployment?.spec.selector).toEqual({ matchLabels: labels })
    expect(budget?.spec.selector).toEqual({ matchLabels: labels })
    expect(service?.spec.selector).toEqual(labels)
    expect(budget?.spec.minAvailable).toBeLessThan(deployment?.spec.replicas ?? 0)
  })

  test('restarts on /livez, routes on /readyz, and stops after the balancers and the drain', () => {
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'http' })
    expect(container?.startupProbe.httpGet).toEqual({ path: '/livez', port: 'http' })
    expect(container?.readinessProbe.httpGet).toEqual({ path: '/readyz?exclude=database', port: 'http' })
    expect(container?.ports).toEqual([{ name: 'http', containerPort: LLMRING_PORT }])
    expect(service?.spec.ports[0]?.targetPort).toBe('http')
    const [, pause] = container?.lifecycle.preStop.exec.command ?? []
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(Number(pause) + shutdownSeconds)
  })

  test('runs without rights, and holds no secret', () => {
    expect(pod).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } })
    expect(container).toMatchObject({
      envFrom: [{ secretRef: { name: 'llmring' } }],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    })
    expect(container?.env.filter(({ name }) => /URL|KEY|PEPPER/.test(name))).toEqual([])
  })

  test('names settings that exist, with values that are accepted', () => {
    const values = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? [])
    expect(ENVIRONMENT.safeParse(values).error).toBeUndefined()
    expect(text.match(/LLMRING_[A-Z0-9_]+/g)?.filter((name) => !SETTINGS.includes(name))).toEqual([])
  })
})

describe('the page for operators', () => {
  test('names the limits of one caller as they are', () => {
    const text = read('.docs/operations.md').replace(/\s+/g, ' ')
    const mib = (bytes: number) => String(bytes / 1024 ** 2)
    const { bodyBytesInFlightMax: bytes, bodyPublicShareMax, bodyCallerShareMax } = HTTP_LIMITS
    const open = bytes * bodyPublicShareMax
    expect(bodyCallerShareMax).toBe(1 / 2)
    expect(text).toContain(
      `half of the ${mib(bytes)} MiB for bodies (${mib(open / 2)} of ${mib(open)} MiB on routes without`,
    )
    expect(text).toContain(`at most ${mib(HTTP_LIMITS.largeBytesAtOnceMax)} MiB of them at once`)
    expect(text).toContain(`Bodies over ${HTTP_LIMITS.largeBodyBytes / 1024} KiB are handled in turn`)
    expect(text).toContain(`does not come within ${HTTP_LIMITS.largeWaitMsMax / 1000} s gets 503`)
    expect(text).toContain(`${HTTP_LIMITS.requestsInFlightPerAddressMax.toLocaleString('en')} requests under way`)
  })
})
