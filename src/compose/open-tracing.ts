import type { Config } from '../config/config.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import type { Lifecycle } from '../platform/lifecycle.js'
import type { Logger } from '../platform/logger.js'
import type { Metrics } from '../platform/metrics.js'
import { openTracer, type Tracer } from '../platform/otlp.js'

type Ground = {
  readonly config: Pick<Config, 'tracing'>
  readonly logger: Logger
  readonly metrics: Metrics
  readonly lifecycle: Lifecycle
}

/** Spans for the collector that is configured, or undefined. Throws `ConfigurationError` if it cannot be one. */
export async function openTracing({ config, logger, metrics, lifecycle }: Ground): Promise<Tracer['tell'] | undefined> {
  const { url, headers } = config.tracing
  if (url === undefined) return undefined
  if (!isAddress(url)) throw new ConfigurationError('OTEL_EXPORTER_OTLP_ENDPOINT: must be an http or https address.')
  const lost = metrics.counter('llmring_spans_lost_total', 'Spans that the collector did not take.')
  let isTaking = true
  const tracer = await openTracer({
    url,
    headers: readHeaders(headers?.reveal() ?? ''),
    onLost: (spans) => {
      lost.increment(spans)
      // Said once: a collector that is away for a day is no news of every second.
      if (isTaking) logger.warn({ spans }, 'the collector of traces does not take them')
      isTaking = false
    },
  })
  lifecycle.onClose('tracing', tracer.close)
  return tracer.tell
}

const isAddress = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && /^https?:$/.test(url.protocol)
}

/** `name=value,other=value`, values as in a URL. */
function readHeaders(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '')
  return Object.fromEntries(pairs.map(readHeader))
}

function readHeader(pair: string): [string, string] {
  const [, name = '', value = ''] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? []
  try {
    const decoded = decodeURIComponent(value)
    if (name !== '' && /^[\x20-\x7e]*$/.test(decoded)) return [name, decoded]
  } catch {
    // Told below, like every other fault.
  }
  throw new ConfigurationError('OTEL_EXPORTER_OTLP_HEADERS: must be NAME=VALUE, separated by commas.')
}
