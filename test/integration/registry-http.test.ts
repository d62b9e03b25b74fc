import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { REGISTRY_LIMITS } from '../../src/features/registry/limits.js'
import { createOrigin, type Origin } from '../../src/features/registry/origin.js'
import { eventually } from '../support/eventually.js'

const servers: Server[] = []
const origins: Origin[] = []

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const origin of origins.splice(0)) await origin.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(handler: RequestListener, tls?: { cert: Buffer; key: Buffer }): Promise<string> {
  const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}/registry`
}

/** A certificate for one test, or undefined where there is no openssl. */
function makeCertificate(): { cert: Buffer; key: Buffer } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'llmring-tls-'))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
  const made = spawnSync('openssl', ['req', ...kind, '-subj', '/CN=127.0.0.1', '-keyout', key, '-out', cert])
  const pair = made.status === 0 ? { key: readFileSync(key), cert: readFileSync(cert) } : undefined
  rmSync(folder, { recursive: true })
  return pair
}
const CERTIFICATE = makeCertificate()

function originAt(baseUrl: string): Origin {
  const origin = createOrigin({ baseUrl, fetchMsMax: 5_000, userAgent: 'llmring-server' })
  origins.push(origin)
  return origin
}

describe('a fetch', () => {
  it('says who asks, and asks below the base URL whether that ends in a slash or not', async () => {
    const seen: [string | undefined, string | undefined][] = []
    const url = await listen((request, response) => {
      seen.push([request.url, request.headers['user-agent']])
      response.end('{}')
    })
    await originAt(url).get('openai/models.json')
    await originAt(`${url}/`).get('openai/models.json')
    expect(seen).toEqual(Array(2).fill(['/registry/openai/models.json', 'llmring-server']))
  })

  it('lets go of the connection of a file that says that it is too large', async () => {
    let left = false
    const url = await listen((request, response) => {
      request.socket.once('close', () => {
        left = true
      })
      response.writeHead(200, { 'Content-Length': REGISTRY_LIMITS.fileBytesMax + 1 }).write('{')
    })
    expect(await originAt(url).get('openai/models.json')).toMatchObject({ status: 'failed' })
    await eventually(() => expect(left).toBe(true))
  })

  it('follows redirects, and no more than five', async () => {
    const url = await listen((request, response) => {
      const left = Number(request.url?.split('/').pop())
      if (left === 0) response.end('arrived')
      else response.writeHead(302, { Location: `./${left - 1}` }).end()
    })
    const origin = originAt(url)
    const arrived = await origin.get(String(REGISTRY_LIMITS.redirectsMax))
    expect(arrived.status === 'found' && new TextDecoder().decode(arrived.bytes)).toBe('arrived')
    expect(await origin.get(String(REGISTRY_LIMITS.redirectsMax + 1))).toMatchObject({ status: 'failed' })
  })

  it.each(['file:///etc/hostname', 'ftp://127.0.0.1/x', 'data:application/json,{}', 'http://[::', ''])(
    'does not follow a redirect to %j',
    async (location) => {
      let requests = 0
      const url = await listen((_request, response) => {
        requests += 1
        response.writeHead(302, location === '' ? {} : { Location: location }).end()
      })
      expect(await originAt(url).get('x')).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('redirects'),
      })
      expect(requests).toBe(1)
    },
  )

  it.skipIf(CERTIFICATE === undefined)(
    'over https is never led to http, also by a detour; http may lead to https',
    async () => {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
      const seen: string[] = []
      const plain = await listen((request, response) => {
        seen.push(request.url ?? '')
        if (request.url?.endsWith('/up')) response.writeHead(302, { Location: `${secure}/file` }).end()
        else response.end('{"from":"http"}')
      })
      const secure: string = await listen((request, response) => {
        const to: Record<string, string> = { down: `${plain}/file`, detour: './down' }
        const location = to[request.url?.split('/').pop() ?? '']
        if (location === undefined) response.end('{"from":"https"}')
        else response.writeHead(301, { Location: location }).end()
      }, CERTIFICATE)
      const origin = originAt(secure)
      expect(await origin.get('file')).toMatchObject({ status: 'found' })
      for (const path of ['down', 'detour']) {
        expect(await origin.get(path)).toEqual({ status: 'failed', reason: 'it redirects to http:' })
      }
      expect(seen).toEqual([])
      expect(await originAt(plain).get('up')).toMatchObject({ status: 'found' })
    },
  )

  it('lets go of a body that is larger than 16 MiB, whether its length was told or not', async () => {
    const large = REGISTRY_LIMITS.fileBytesMax + 1
    const url = await listen((request, response) => {
      if (request.url?.endsWith('/told')) response.writeHead(200, { 'Content-Length': large })
      else response.writeHead(200, { 'Transfer-Encoding': 'chunked' })
      response.end(Buffer.alloc(large, 0x20))
    })
    const origin = originAt(url)
    for (const path of ['told', 'untold']) {
      const answer = await origin.get(path)
      // Only the reason is compared: a difference of 16 MiB would take minutes to print.
      expect([path, answer.status === 'failed' ? answer.reason : answer.status]).toEqual([
        path,
        'its body is larger than 16777216 bytes',
      ])
    }
  })

  it('tells a file that is not there from one that cannot be had', async () => {
    const url = await listen((request, response) => {
      response.writeHead(Number(request.url?.split('/').pop())).end()
    })
    const origin = originAt(url)
    const kinds: [number, string][] = []
    for (const status of [404, 410, 204, 304, 400, 403, 429, 500, 503]) {
      kinds.push([status, (await origin.get(String(status))).status])
    }
    const failed = [204, 304, 400, 403, 429, 500, 503].map((status) => [status, 'failed'])
    expect(kinds).toEqual([[404, 'missing'], [410, 'missing'], ...failed])
  })

  it('that is under way is given up when the service closes', async () => {
    let arrived: () => void = () => undefined
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const origin = originAt(await listen(() => arrived()))
    const answer = origin.get('never')
    await arrival
    await origin.close()
    expect(await answer).toMatchObject({ status: 'failed' })
  })
})

describe('a proxy in the environment', () => {
  async function proxy(): Promise<{ url: string; targets: string[] }> {
    const targets: string[] = []
    const url = await listen((request, response) => {
      targets.push(request.url ?? '')
      response.writeHead(502).end()
    })
    servers.at(-1)?.on('connect', (request: IncomingMessage, socket: Socket) => {
      targets.push(request.url ?? '')
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    })
    return { url: new URL(url).origin, targets }
  }
  const setProxy = (url: string, noProxy: string) => {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY']) vi.stubEnv(name, url)
    for (const name of ['no_proxy', 'NO_PROXY']) vi.stubEnv(name, noProxy)
  }

  it('is asked for an origin elsewhere, by HTTPS_PROXY and HTTP_PROXY, unless NO_PROXY names it', async () => {
    const { url, targets } = await proxy()
    setProxy(url, 'other.invalid')
    expect(await originAt('https://registry.invalid/').get('x')).toMatchObject({ status: 'failed' })
    expect(await originAt('http://registry.invalid/').get('x')).toMatchObject({ status: 'failed' })
    expect(targets).toEqual([
      expect.stringContaining('registry.invalid:443'),
      expect.stringContaining('registry.invalid'),
    ])
    expect(await originAt('http://other.invalid/').get('x')).toMatchObject({ status: 'failed' })
    expect(targets).toHaveLength(2)
  })

  it('is never asked for an origin on this machine', async () => {
    const { url, targets } = await proxy()
    setProxy(url, '')
    const local = await listen((_request, response) => response.end('{}'))
    expect(await originAt(local).get('x')).toMatchObject({ status: 'found' })
    expect(targets).toEqual([])
  })
})
