import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { type PlainSeries, registerPlainHistogram } from './plain-histogram.js'

export type Metrics = {
  /** Counts one served request. Labels are bounded: the route's pattern, a known method, the status. */
  observeRequest(route: string, method: string, status: number, seconds: number): void
  /** A value that is read when the metrics are asked for. */
  gauge(name: string, help: string, read: () => number): void
  /** The same by one label, whose values are the members' names. They come from a bounded set, never from a request. */
  gauges(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void
  /** Constant facts as labels of a 1. */
  info(name: string, help: string, labels: Readonly<Record<string, string>>): void
  counter(name: string, help: string): { increment(by?: number): void }
  /** A counter with labels; see `gauges`. A series is kept by the caller. */
  counters<Label extends string>(name: string, help: string, labels: readonly Label[]): CounterFamily<Label>
  histogram(name: string, help: string, buckets: readonly number[]): PlainSeries
  /** The text exposition format. */
  expose(): Promise<{ contentType: string; text: string }>
}

export type CounterFamily<Label extends string> = {
  series(values: Readonly<Record<Label, string>>): { increment(by: number): void }
}

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const durations = registerPlainHistogram<'route' | 'method' | 'status'>(registry, {
    name: 'llmring_http_request_duration_seconds',
    help: 'Time from the request head to the end of the answer, in seconds.',
    buckets: SECONDS_BUCKETS,
  })
  // By route, method and status: three lookups of what is there already cost less than one text made of them.
  const children = new Map<string, Map<string, Map<number, PlainSeries>>>()
  const seriesOf = (route: string, method: string, status: number): PlainSeries => {
    const methods = grow(children, route, () => new Map<string, Map<number, PlainSeries>>())
    const statuses = grow(methods, method, () => new Map<number, PlainSeries>())
    return grow(statuses, status, () => durations.series({ route, method, status: String(status) }))
  }

  return {
    observeRequest: (route, method, status, seconds) => {
      seriesOf(route, METHODS.has(method) ? method : 'OTHER', status).observe(seconds)
    },
    gauge: (name, help, read) => {
      new Gauge({ name, help, registers: [registry], collect: gaugeReader(read) })
    },
    gauges: (name, help, label, read) => {
      const gauge = new Gauge({ name, help, labelNames: [label], registers: [registry], collect: () => collect() })
      const collect = () => {
        for (const [value, number] of Object.entries(read())) gauge.set({ [label]: value }, number)
      }
    },
    info: (name, help, labels) => {
      new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set({ ...labels }, 1)
    },
    histogram: (name, help, buckets) => registerPlainHistogram<never>(registry, { name, help, buckets }).series({}),
    counters: (name, help, labels) => {
      const counter = new Counter({ name, help, labelNames: [...labels], registers: [registry] })
      return {
        series: (values) => {
          const child = counter.labels({ ...values })
          return { increment: (by) => child.inc(by) }
        },
      }
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

function grow<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
