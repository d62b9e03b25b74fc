import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { ROOT } from '../support/readme.js'
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'
import { type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let redis: TestRedis | undefined
let origin: RegistryOrigin
let one: RunningService

beforeAll(async () => {
  database = await cloneDatabase()
  redis = REDIS_MISSING === null ? await startRedis() : undefined
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  one = await startService({
    LLMRING_DATABASE_URL: database.url,
    LLMRING_REGISTRY_BASE_URL: origin.url,
    ...(redis === undefined ? {} : { LLMRING_REDIS_URL: redis.url }),
  })
  await one.call('/registry')
})
afterAll(async () => {
  await one.close()
  await origin.close()
  await redis?.close()
  await database.drop()
})

const expose = async () => (await one.service.metrics.expose()).text
/** The number of a series, written as in the exposition. */
const value = async (series: string) => {
  const line = (await expose()).split('\n').find((text) => text.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length))
}
const log = (event: object) =>
  one.call('/api/v1/log', {
    json: { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 10, output_tokens: 5, ...event },
  })

const NOT_BASE =
  /_(ms|us|ns|s|sec|secs|msec|min|mins|millis|milliseconds|microseconds|nanoseconds|minutes|hours|days|kb|mb|gb|kib|mib|kilobytes|megabytes|gigabytes|percent|counter|gauge|histogram|summary)(_|$)/i

/** What `promtool check metrics` complains of, and what no scrape takes, in an exposition of Prometheus. */
function lint(text: string): string[] {
  const of = (kind: string) =>
    new Map([...text.matchAll(new RegExp(`^# ${kind} (\\S+) (.*)$`, 'gm'))].map(([, n, t]) => [n, t]))
  const [help, types] = [of('HELP'), of('TYPE')]
  const series = [...text.matchAll(/^([a-zA-Z_:][\w:]*)(\{[^\n]*\})? (\S+)$/gm)]
  const faults: string[] = []
  const seen = new Set<string>()
  for (const [, name = '', labels = '', number] of series) {
    const parent = name.replace(/_(bucket|sum|count)$/, '')
    const family = /^(histogram|summary)$/.test(types.get(parent) ?? '') ? parent : name
    const type = types.get(family)
    const find = (isFault: boolean, what: string) => isFault && faults.push(`${family}: ${what}`)
    if (!seen.has(family)) {
      find((help.get(family) ?? '') === '', 'no help')
      find(type === undefined, 'no type')
      find(type === 'counter' && !family.endsWith('_total'), 'counter without _total')
      find(type !== 'counter' && /_(total|bucket|sum|count)$/.test(family), 'an ending of another type')
      find(!/^[a-z0-9_]+$/.test(family), 'no snake case')
      find(NOT_BASE.test(family.replaceAll(/([a-z])([A-Z])/g, '$1_$2')), 'no base unit')
      for (const [, label = ''] of labels.matchAll(/[{,](\w+)="/g))
        find(!/^[a-z0-9_]+$/.test(label), `no snake case: ${label}`)
      find(!Number.isFinite(Number(number)) && !/^([+-]Inf|Nan)$/.test(number ?? ''), 'no number')
    }
    find(seen.has(name + labels), `twice: ${labels}`)
    seen.add(family).add(name + labels)
  }
  return faults
}

describe('the metrics', () => {
  it('say what runs, and how the registry and Redis are', async () => {
    expect(await expose()).toMatch(/^llmring_build_info\{version="\d+\.\d+\.\d+",node="v\d+\.\d+\.\d+"\} 1$/m)
    for (const provider of ['anthropic', 'google', 'openai']) {
      expect(await value(`llmring_registry_bundled{provider="${provider}"}`)).toBe(0)
      expect(await value(`llmring_registry_age_seconds{provider="${provider}"}`)).toBeGreaterThanOrEqual(0)
    }
    if (redis !== undefined) await eventually(async () => expect(await value('llmring_redis_up')).toBe(1))
  })

  it('have what the linter of Prometheus asks for: help, a type, the endings of types, whole words, base units', async () => {
    const faults = lint(await expose())
    expect(faults.filter((fault) => !/^(nodejs|process)_/.test(fault))).toEqual([])
    expect(lint('llmring_x 1')).toEqual(['llmring_x: no help', 'llmring_x: no type'])
    const wrong = ['# HELP llmring_aNameMs x', '# TYPE llmring_aNameMs counter', 'llmring_aNameMs{Bad="1"} many']
    expect(lint([...wrong, wrong[2], ''].join('\n'))).toEqual([
      ...['counter without _total', 'no snake case', 'no base unit', 'no snake case: Bad', 'no number'].map(
        (fault) => `llmring_aNameMs: ${fault}`,
      ),
      'llmring_aNameMs: twice: {Bad="1"}',
    ])
  })

  it('count events, tokens and cost by provider and model', async () => {
    await log({ input_tokens: 1_000_000, output_tokens: 0, cached_input_tokens: 400_000 })
    await log({ model: 'unknown', input_tokens: 7, output_tokens: 3 })
    expect(await value('llmring_usage_events_total{provider="openai",model="gpt-4o-mini",cost_status="priced"}')).toBe(
      1,
    )
    expect(await value('llmring_usage_events_total{provider="openai",model="other",cost_status="unknown_model"}')).toBe(
      1,
    )
    expect(await value('llmring_usage_tokens_total{provider="openai",model="gpt-4o-mini",kind="input"}')).toBe(600_000)
    expect(await value('llmring_usage_tokens_total{provider="openai",model="other",kind="input"}')).toBe(7)
    expect(await value('llmring_usage_tokens_total{provider="openai",model="gpt-4o-mini",kind="cached_input"}')).toBe(
      400_000,
    )
    expect(await value('llmring_usage_tokens_total{provider="openai",model="other",kind="output"}')).toBe(3)
    expect(await value('llmring_usage_cost_usd_total{provider="openai",model="gpt-4o-mini"}')).toBeCloseTo(0.12, 12)
    expect(await value('llmring_usage_group_rows_sum')).toBe(2)
    expect(await value('llmring_usage_group_rows_bucket{le="1"}')).toBe(2)
  })

  it('grow no series with what clients invent: providers, models, aliases, paths, methods', async () => {
    const seriesCount = async () => (await expose()).split('\n').filter((line) => /^llmring_/.test(line)).length
    const invent = async (n: number) => {
      await log({ provider: `invented-${n}`, model: `invented-${n}`, alias: `invented-${n}`, profile: `invented-${n}` })
      await one.call(`/invented-${n}`)
      await one.call(`/registry/invented-${n}/models.json`)
      await one.call(`/api/v1/aliases/resolve?alias=invented-${n}&profile=invented-${n}`)
    }
    await invent(0)
    await one.call('/invented', { method: 'PROPFIND' })
    await eventually(async () => expect(await expose()).toContain('method="OTHER"'))
    const before = await seriesCount()
    for (let n = 1; n <= 10; n++) await invent(n)
    await one.call('/invented', { method: 'MKCOL' })
    expect(await value('llmring_usage_events_total{provider="other",model="other",cost_status="unknown_model"}')).toBe(
      11,
    )
    expect(await seriesCount()).toBe(before)
    expect(await expose()).not.toContain('invented')
  })
})

/** Every name of ours in an expression of PromQL, without what a histogram adds to it. */
const namesIn = (text: string) =>
  [...text.matchAll(/\b(?:llmring|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  )

describe('what is watched', () => {
  it.each(['.deploy/grafana-dashboard.json', '.deploy/prometheus-rules.yaml'])('in %s exists', async (path) => {
    const text = await readFile(join(ROOT, path), 'utf8')
    const names = new Set(namesIn(text))
    expect(names.size).toBeGreaterThanOrEqual(8)
    const exposed = new Set([...(await expose()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
    // These two are registered by the listener and the server of `serve`, which this test stands in for.
    const known = new Set([...exposed, 'llmring_requests_in_flight', 'llmring_connections'])
    expect(
      [...names].filter((name) => !known.has(name) && !(name === 'llmring_redis_up' && redis === undefined)),
    ).toEqual([])
  })

  it('has a query in every panel and a runbook line for every alert', async () => {
    const dashboard = JSON.parse(await readFile(join(ROOT, '.deploy/grafana-dashboard.json'), 'utf8'))
    const panels: { title: string; targets: { expr: string }[] }[] = dashboard.panels
    expect(panels.filter(({ targets }) => targets.length === 0 || targets.some(({ expr }) => expr === ''))).toEqual([])
    const rules = parse(await readFile(join(ROOT, '.deploy/prometheus-rules.yaml'), 'utf8'))
    const alerts: { alert: string; annotations: { summary?: string; description?: string } }[] = rules.groups[0].rules
    expect(alerts.length).toBeGreaterThanOrEqual(8)
    for (const { annotations } of alerts)
      expect(annotations).toEqual({ summary: expect.stringMatching(/./), description: expect.stringMatching(/./) })
  })
})
