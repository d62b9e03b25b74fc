import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { eventually } from './eventually.js'

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string }
type Answering = (response: ServerResponse, received: Received) => void

export type Receiver = {
  readonly url: string
  /** What came, in order. */
  readonly received: Received[]
  /** The revisions that came, in order. */
  revisions(): number[]
  /** How many requests wait for their response now, and how many did at most. */
  readonly open: () => { readonly now: number; readonly most: number }
  /** From here on answers like this; 204 at first. */
  answer(how: number | Answering): void
  /** Once so many requests have come. */
  until(requests: number): Promise<Received[]>
  close(): Promise<void>
}

/** A receiver of webhooks on a loopback port. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  let answering: Answering = (response) => void response.writeHead(204).end()
  let [now, most] = [0, 0]
  const server = createServer((request, response) => {
    now += 1
    most = Math.max(most, now)
    response.once('close', () => {
      now -= 1
    })
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const one = { headers: request.headers, body, path: request.url ?? '' }
      received.push(one)
      answering(response, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    revisions: () => received.map(revisionOf),
    open: () => ({ now, most }),
    answer: (how) => {
      answering = typeof how === 'number' ? (response) => void response.writeHead(how).end() : how
    },
    until: async (requests) => {
      await eventually(() => expect(received.length).toBeGreaterThanOrEqual(requests))
      return received
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const revisionOf = ({ body }: Received): number => JSON.parse(body).data.revision

/**
 * Verifies a request as the Standard Webhooks specification 1.0.0 tells receivers to: the HMAC-SHA-256 of
 * `id.timestamp.payload` under the base64 of the secret, against each signature of the list, and a time within five
 * minutes.
 */
export function verifyWebhook(secret: string, { headers, body }: Received, nowSeconds = Date.now() / 1000): boolean {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => String(headers[`webhook-${name}`]))
  if (!/^\d+$/.test(timestamp ?? '') || Math.abs(nowSeconds - Number(timestamp)) > 300) return false
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest()
  return (signatures ?? '').split(' ').some((one) => {
    const [version, signature = ''] = one.split(',')
    const given = Buffer.from(signature, 'base64')
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected)
  })
}
