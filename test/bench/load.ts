/** The load, in a process of its own: one autocannon run for each message from the parent. */
import autocannon from 'autocannon'

export type LoadOrder = {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: string
  /** Project keys that the requests take in turn, instead of the one in `headers`. */
  readonly keys?: readonly string[]
  /** The status of every answer, and a text that it must hold. */
  readonly status: number
  readonly expect: string
}
export type LoadResult = {
  readonly perSecond: number
  readonly requests: number
  readonly p50: number
  readonly p99: number
  readonly wrong: number
  readonly seconds: number
}

type Mismatching = { mismatches: number; statusCodeStats?: Record<string, { count: number }> }

process.on('message', async (order: LoadOrder) => {
  const instance = autocannon({
    url: order.url,
    duration: order.seconds,
    connections: order.connections,
    method: order.method,
    headers: order.headers,
    ...(order.body === undefined ? {} : { body: order.body }),
    ...(order.keys === undefined ? {} : { requests: order.keys.map((key) => requestOf(order, key)) }),
    verifyBody: (body) => String(body).includes(order.expect),
  } as autocannon.Options)
  const done = await instance
  const { mismatches, statusCodeStats = {} } = done as unknown as Mismatching
  const expected = statusCodeStats[String(order.status)]?.count ?? 0
  const wrong = done.requests.total - expected + done.errors + done.timeouts + mismatches
  const requests = done.requests.total
  const { duration: seconds, latency } = done
  const result: LoadResult = {
    requests,
    perSecond: requests / seconds,
    p50: latency.p50,
    p99: latency.p99,
    wrong,
    seconds,
  }
  process.send?.(result)
})

function requestOf({ method, headers, body }: LoadOrder, key: string) {
  return { method, headers: { ...headers, 'X-Project-Key': key }, ...(body === undefined ? {} : { body }) }
}
