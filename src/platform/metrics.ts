import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  /** Counts one served request. Labels are bounded: the route's pattern, a known method, the status. */
  observeRequest(route: string, method: string, status: number, seconds: number): void
  /** A value that is read when somebody asks for the metrics. */
  gauge(name: string, help: string, read: () => number): void
  counter(name: string, help: string): { increment(by?: number): void }
  /** The text exposition format. */
  expose(): Promise<{ contentType: string; text: string }>
}

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const durations = new Histogram({
    name: 'llmring_http_request_duration_seconds',
    help: 'Time from the request head to the end of the answer, in seconds.',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  })
  // Looking a child up by its labels hashes them at every request; the children are few, so they are kept.
  const children = new Map<string, Histogram.Internal<'route' | 'method' | 'status'>>()

  return {
    observeRequest: (route, method, status, seconds) => {
      const knownMethod = METHODS.has(method) ? method : 'OTHER'
      const name = `${route} ${knownMethod} ${status}`
      let child = children.get(name)
      if (child === undefined) {
        child = durations.labels({ route, method: knownMethod, status: String(status) })
        children.set(name, child)
      }
      child.observe(seconds)
    },
    gauge: (name, help, read) => {
      new Gauge({ name, help, registers: [registry], collect: gaugeReader(read) })
    },
    counter: (name, help) => {
      const counter = new Counter({ name, help, registers: [registry] })
      return { increment: (by = 1) => counter.inc(by) }
    },
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

function gaugeReader(read: () => number) {
  return function (this: Gauge): void {
    this.set(read())
  }
}
