import type { Agent } from 'node:http'
import type { Attributes } from '@opentelemetry/api'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { deadline } from './deadline.js'
import { SPAN_LIMITS } from './limits.js'
import { readVersion } from './version.js'

/** Something that is over. Times are milliseconds since the epoch. */
type FinishedSpan = {
  readonly name: string
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly isError: boolean
  /** `traceparent` of W3C Trace Context, of what caused it; what is none is passed over. */
  readonly parent: string | undefined
}

export type Tracer = {
  /** Keeps a span until it is sent. Never waits and never throws; if too many wait it is lost. */
  tell(span: FinishedSpan): void
  /** Sends what waits, within a limit. */
  close(): Promise<void>
}

export type TracerOptions = {
  /** Where a collector takes traces: OTLP over HTTP, in JSON. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Called with how many spans a collector did not take. */
  readonly onLost: (spans: number) => void
  readonly queuedMax?: number
  readonly sendMsMax?: number
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const SUCCESS = 0

/**
 * Sends spans to a collector, by OpenTelemetry's own packages, which are loaded only now: a service that sends none does
 * without them. They are sent in groups, apart from what is measured; a collector that is away loses spans and nothing else.
 */
export async function openTracer(options: TracerOptions): Promise<Tracer> {
  const { url, headers, onLost } = options
  const { spansQueuedMax, spansPerGroupMax, spansPauseMs, spansSendMsMax, spansCloseMsMax } = SPAN_LIMITS
  const sendMsMax = options.sendMsMax ?? spansSendMsMax
  const queuedMax = options.queuedMax ?? spansQueuedMax
  const [{ ROOT_CONTEXT, SpanKind, SpanStatusCode, trace }, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
  const agent = await openAgent(url)
  const exporter = new OTLPTraceExporter({
    ...{ url, headers: { ...headers }, timeoutMillis: sendMsMax },
    httpAgentOptions: () => agent,
  })
  const processor = new sdk.BatchSpanProcessor({
    exporter: countLost(boundSending(exporter, agent, sendMsMax), onLost),
    ...{ maxQueueSize: queuedMax, maxExportBatchSize: Math.min(spansPerGroupMax, queuedMax) },
    ...{ scheduledDelayMillis: spansPauseMs, exportTimeoutMillis: sendMsMax },
  })
  const resource = resourceFromAttributes({ 'service.name': 'llmring-server', 'service.version': readVersion() })
  const provider = new sdk.TracerProvider({ resource, spanProcessors: [processor] })
  const tracer = provider.getTracer('llmring-server')
  const contextOf = (parent: string | undefined) => {
    const [, traceId, spanId, flags] = TRACEPARENT.exec(parent ?? '') ?? []
    if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT
    const traceFlags = Number.parseInt(flags ?? '0', 16)
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
  }
  return {
    tell: ({ name, startMs, endMs, attributes, isError, parent }) => {
      const about = { kind: SpanKind.CLIENT, startTime: startMs, attributes }
      const span = tracer.startSpan(name, about, contextOf(parent))
      if (isError) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end(endMs)
    },
    close: async () => {
      await deadline(provider.shutdown(), spansCloseMsMax).catch(() => undefined)
      agent.destroy()
    },
  }
}

/** An agent of our own, so that its connections can be ended. */
async function openAgent(url: string): Promise<Agent> {
  const { Agent: One } = await (new URL(url).protocol === 'https:' ? import('node:https') : import('node:http'))
  return new One({ keepAlive: true, maxSockets: SPAN_LIMITS.spansConnectionsMax })
}

/**
 * The same exporter, whose connections end if it is not done in time. Its own limit is of silence: a collector whose
 * response drips kept its connection and the process, and each further group took another one.
 */
function boundSending(exporter: SpanExporter, agent: Agent, msMax: number): SpanExporter {
  return {
    export: (spans, done) => {
      const late = setTimeout(() => agent.destroy(), msMax).unref()
      exporter.export(spans, (result) => {
        clearTimeout(late)
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
}

/** The same exporter, of which it is heard what it could not send. */
function countLost(exporter: SpanExporter, onLost: (spans: number) => void): SpanExporter {
  return {
    export: (spans: ReadableSpan[], done) =>
      exporter.export(spans, (result) => {
        if (result.code !== SUCCESS) onLost(spans.length)
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
  }
}
