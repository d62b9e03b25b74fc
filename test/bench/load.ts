/** The load, in a process of its own: one autocannon run for each message from the parent. */
import autocannon from 'autocannon'

export type LoadOrder = {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: string
  /** A text that every answer must hold. */
  readonly expect: string
}
export type LoadResult = {
  readonly perSecond: number
  readonly requests: number
  readonly p50: number
  readonly p99: number
  readonly wrong: number
}

process.on('message', async (order: LoadOrder) => {
  const instance = autocannon({
    url: order.url,
    duration: order.seconds,
    connections: order.connections,
    method: order.method,
    headers: order.headers,
    ...(order.body === undefined ? {} : { body: order.body }),
    verifyBody: (body) => String(body).includes(order.expect),
  } as autocannon.Options)
  const done = await instance
  const wrong = done.non2xx + done.errors + done.timeouts + (done as unknown as { mismatches: number }).mismatches
  const requests = done.requests.total
  const result: LoadResult = {
    ...{ requests, perSecond: requests / done.duration, p50: done.latency.p50, p99: done.latency.p99, wrong },
  }
  process.send?.(result)
})
