import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openTracer } from '../../src/platform/otlp.js'
import { eventually } from '../support/eventually.js'
import { startGateway } from '../support/gateway-world.js'
import { answerJson, startUpstream } from '../support/local-upstream.js'
import { startService } from '../support/service.js'

const CHAT = '/v1/chat/completions'
const WAIT_MS = 60_000
const config = {
  providers: [
    { name: 'echo', type: 'echo', model: 'parrot' },
    { name: 'broken', type: 'echo', model: 'mute', mock_failure_rate: 1 },
  ],
}
type Attribute = { key: string; value: { stringValue?: string; intValue?: number | string; boolValue?: boolean } }
type Span = {
  name: string
  traceId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  status: { code: number }
  attributes: Attribute[]
}
type Sent = { resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Span[] }[] }[] }

const collector = await startUpstream((outgoing) => answerJson(outgoing, {}))
const world = await startGateway(config, {
  OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
  OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=planted%20key',
})
afterAll(async () => {
  await world.close()
  await collector.close()
})
beforeEach(() => {
  collector.arrived.length = 0
})

const plain = (attributes: Attribute[]) =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, boolValue } }) => [
      key,
      stringValue ?? boolValue ?? Number(intValue),
    ]),
  )
const spansOf = (from: typeof collector) =>
  from.arrived
    .flatMap(({ json }) => (json as Sent).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
/** The spans that came since the test began, once there are so many. */
const spans = (count: number) =>
  eventually(() => {
    const found = spansOf(collector)
    expect(found).toHaveLength(count)
    return found.map((span) => ({ ...span, said: plain(span.attributes) }))
  }, WAIT_MS)

const say = (content: string, more: object = {}) => ({
  ...{ model: 'echo:parrot', messages: [{ role: 'user', content }] },
  ...more,
})

describe('a call, where a collector is configured', () => {
  test('is a span with what its row says, and nothing of what was said', async () => {
    const project = world.project()
    await project.bind('speaker', ['broken:mute', 'echo:parrot'])
    const response = await project.post(CHAT, say('A secret of ours', { model: 'speaker' }))
    expect(response.status).toBe(200)
    const [span] = await spans(1)
    const [row] = await project.rows(1)
    expect(span?.name).toBe('chat parrot')
    expect(span?.status.code).toBe(0)
    expect(span?.said).toMatchObject({
      ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'echo', 'gen_ai.request.model': 'speaker' },
      ...{ 'gen_ai.response.model': 'parrot', 'gen_ai.usage.input_tokens': row?.input_tokens },
      ...{ 'gen_ai.usage.output_tokens': row?.output_tokens, 'llmring.usage_log_id': row?.id },
      ...{ 'llmring.alias': 'speaker', 'llmring.attempts': 2, 'llmring.outcome': 'answered', 'llmring.cache': 'MISS' },
    })
    const nanoseconds = BigInt(span?.endTimeUnixNano ?? 0) - BigInt(span?.startTimeUnixNano ?? 0)
    expect(Math.abs(Number(nanoseconds) / 1e6 - (row?.latency_ms ?? 0))).toBeLessThan(2)
    const [arrived] = collector.arrived
    expect([arrived?.path, arrived?.headers['x-collector-key']]).toEqual(['/v1/traces', 'planted key'])
    const [sent] = collector.arrived.flatMap(({ json }) => (json as Sent).resourceSpans)
    const resource = sent?.resource.attributes ?? []
    expect(plain(resource)).toMatchObject({ 'service.name': 'llmring-server' })
    expect(JSON.stringify(arrived?.json)).not.toMatch(/secret|gateway-[0-9a-f]{8}/)
  })

  test('belongs to what its request belongs to, a workflow and its ops too', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
    const project = world.project()
    await (await project.post(CHAT, say('One', { stream: true }), { headers })).text()
    const workflow =
      'start_ops: [one]\nend_ops: [one]\nops:\n  one: { prompt: "{{input}}", tier: 2, model: "echo:parrot" }\n'
    await project.post('/v1/workflows', { input: 'Say it', workflow }, { headers })
    const both = await spans(2)
    for (const span of both) expect([span.traceId, span.parentSpanId]).toEqual([traceId, 'b7ad6b7169203331'])
    expect(both.map(({ said }) => said['llmring.stream'])).toEqual([true, false])
  })

  test('is no part of a trace that is not to be kept, and its own where the header says nothing', async () => {
    const project = world.project()
    const ask = (traceparent: string) => project.post(CHAT, say('One'), { headers: { traceparent } })
    await ask('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00')
    await ask('nonsense')
    await ask('00-00000000000000000000000000000000-0000000000000000-01')
    for (const span of await spans(2)) {
      expect(span.parentSpanId ?? '').toBe('')
      expect(span.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
    }
  })

  test('is a span also where it failed, or came out of the cache', async () => {
    const project = world.project()
    const repeated = say('Again', { temperature: 0 })
    for (const json of [repeated, repeated, say('No', { model: 'broken:mute' })])
      await (await project.post(CHAT, json)).text()
    const [first, hit, failed] = await spans(3)
    expect([first?.said['llmring.cache'], hit?.said['llmring.cache']]).toEqual(['MISS', 'HIT'])
    expect(failed?.status.code).toBe(2)
    expect(failed?.said).toMatchObject({ 'error.type': 'status 503', 'llmring.outcome': 'status 503' })
  })
})

describe('a collector that is away', () => {
  test.each([
    ['refuses', () => Promise.resolve('http://127.0.0.1:9')],
    ['answers with a failure', async () => (await startUpstream((outgoing) => answerJson(outgoing, {}, 400))).url],
    ['never answers', async () => (await startUpstream(() => undefined)).url],
  ])('that %s changes nothing, and the service still stops', { timeout: WAIT_MS }, async (_, start) => {
    const away = await startGateway(config, { OTEL_EXPORTER_OTLP_ENDPOINT: await start() })
    const project = away.project()
    for (let index = 0; index < 20; index += 1)
      expect((await project.post(CHAT, say(`Number ${index}`))).status).toBe(200)
    expect(await project.rows(20)).toHaveLength(20)
    await away.close()
  })

  test('that drips its responses keeps no connection beyond the time for one', { timeout: WAIT_MS }, async () => {
    const drips: NodeJS.Timeout[] = []
    const dripping = await startUpstream((outgoing) => {
      outgoing.writeHead(200)
      drips.push(setInterval(() => outgoing.write(' '), 20))
    })
    const options = { url: `${dripping.url}/v1/traces`, headers: {}, onLost: () => undefined, sendMsMax: 300 }
    const span = { name: 'x', startMs: 1, endMs: 2, attributes: {}, isError: false, parent: undefined }
    const tracer = await openTracer(options)
    tracer.tell(span)
    await eventually(() => expect(dripping.arrived).toHaveLength(1), WAIT_MS)
    await eventually(() => expect(dripping.connections()).toBe(0), WAIT_MS)
    const leaving = await openTracer({ ...options, sendMsMax: 600_000 })
    leaving.tell(span)
    await eventually(() => expect(dripping.arrived).toHaveLength(2), WAIT_MS)
    await leaving.close()
    await eventually(() => expect(dripping.connections()).toBe(0), WAIT_MS)
    for (const drip of drips) clearInterval(drip)
    await tracer.close()
    await dripping.close()
  })

  test('loses what does not fit, and counts it', { timeout: WAIT_MS }, async () => {
    const lost: number[] = []
    const taking = await startUpstream((outgoing) => answerJson(outgoing, {}))
    const options = { headers: {}, onLost: (count: number) => lost.push(count), queuedMax: 10, sendMsMax: 500 }
    const span = { name: 'x', startMs: 1, endMs: 2, attributes: {}, isError: false, parent: undefined }
    const bounded = await openTracer({ ...options, url: `${taking.url}/v1/traces` })
    for (let index = 0; index < 1_000; index += 1) bounded.tell(span)
    await bounded.close()
    expect(spansOf(taking).length).toBeGreaterThan(0)
    expect(spansOf(taking).length).toBeLessThanOrEqual(20)
    expect(lost).toEqual([])
    const dead = await openTracer({ ...options, url: 'http://127.0.0.1:9/v1/traces' })
    dead.tell(span)
    await dead.close()
    await eventually(() => expect(lost).toEqual([1]), WAIT_MS)
    await taking.close()
  })
})

describe('what is configured of traces', () => {
  const start = (environment: Record<string, string>) =>
    startService({ LLMRING_DATABASE_URL: world.databaseUrl, LLMRING_ROUTER_CONFIG: world.file, ...environment })

  test.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_HEADERS: 'planted' }, 'NAME=VALUE'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_HEADERS: 'a=%E0planted' }, 'NAME=VALUE'],
  ])('is refused if it cannot be used: %o', async (environment, message) => {
    const failure = await start(environment).then(
      () => new Error('it started'),
      (error: Error) => error,
    )
    expect(failure.message).toContain(message)
    expect(failure.message).not.toContain('planted')
  })

  test('can be switched off', async () => {
    const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', OTEL_SDK_DISABLED: 'true' })
    await service.close()
  })
})
