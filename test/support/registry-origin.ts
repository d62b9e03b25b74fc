import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The registry that the project's tests serve. */
export const REGISTRY_FIXTURES = fileURLToPath(new URL('../fixtures/registry/', import.meta.url))

/**
 * How the origin misbehaves: an error, no answer at all, an answer that stops in the middle and stays open (`stall`) or is
 * cut (`truncated`), half a file with a fitting length (`half-json`), a page instead of the file, a file that holds
 * nothing, a closed connection, a closed port (all paths only), or no such file.
 */
export type FailMode =
  | 'status-500'
  | 'hang'
  | 'stall'
  | 'truncated'
  | 'half-json'
  | 'html'
  | 'empty-object'
  | 'empty-models'
  | 'reset'
  | 'refused'
  | 'missing'

export type RegistryOrigin = {
  /** Ends in `/`. */
  readonly url: string
  /** The paths that were asked for, in order, since the last `forget`. */
  requests(): string[]
  forget(): void
  /** From here on misbehaves: for every path, or for those that start with `prefix`; null works again. */
  fail(mode: FailMode | null, prefix?: string): Promise<void>
  /** Serves this instead of (or beside) what is in the directory; null: no such file. */
  put(path: string, content: string | Uint8Array | null): void
  /** Answers a path with a redirect. */
  redirect(path: string, location: string): void
  /** Holds every answer back until the returned function is called. */
  hold(): () => void
  close(): Promise<void>
}

/** A registry as a static file server would serve `directory`, on a loopback port. */
export async function startRegistryOrigin(directory: string): Promise<RegistryOrigin> {
  const files = new Map<string, Uint8Array | null>()
  const redirects = new Map<string, string>()
  let seen: string[] = []
  let failing: { mode: FailMode; prefix: string } | null = null
  let held: Promise<void> = Promise.resolve()
  let release: () => void = () => undefined

  const server = createServer(async (request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1))
    seen.push(path)
    await held
    const location = redirects.get(path)
    if (location !== undefined) return void response.writeHead(302, { Location: location }).end()
    const file = files.has(path) ? (files.get(path) ?? null) : readFrom(directory, path)
    if (failing?.mode !== undefined && path.startsWith(failing.prefix)) misbehave(failing.mode, response, file)
    else if (file === null) response.writeHead(404, { 'Content-Type': 'text/html' }).end('<h1>no such file</h1>')
    else response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': file.byteLength }).end(file)
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const shut = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/`,
    requests: () => [...seen],
    forget: () => {
      seen = []
    },
    fail: async (mode, prefix = '') => {
      failing = mode === null ? null : { mode, prefix }
      if (mode === 'refused' && server.listening) await shut()
      if (mode !== 'refused' && !server.listening) await listen(port)
    },
    put: (path, content) => void files.set(path, typeof content === 'string' ? Buffer.from(content) : content),
    redirect: (path, location) => void redirects.set(path, location),
    hold: () => {
      held = new Promise((resolve) => {
        release = resolve
      })
      return release
    },
    close: async () => {
      release()
      if (server.listening) await shut()
    },
  }
}

function readFrom(directory: string, path: string): Uint8Array | null {
  const file = normalize(join(directory, path))
  if (!file.startsWith(normalize(directory))) return null
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}

function misbehave(mode: FailMode, response: ServerResponse, file: Uint8Array | null): void {
  const body = file ?? Buffer.from('{}')
  const half = body.subarray(0, Math.floor(body.byteLength / 2))
  const json = { 'Content-Type': 'application/json' }
  const answers: Record<FailMode, () => void> = {
    'status-500': () => response.writeHead(500, json).end('{"error":"down"}'),
    hang: () => undefined,
    stall: () => response.writeHead(200, { ...json, 'Content-Length': body.byteLength }).write(half),
    truncated: () =>
      response.writeHead(200, { ...json, 'Content-Length': body.byteLength }).write(half, () => response.destroy()),
    'half-json': () => response.writeHead(200, json).end(half),
    html: () => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><h1>Welcome</h1>'),
    'empty-object': () => response.writeHead(200, json).end('{}'),
    'empty-models': () => response.writeHead(200, json).end(withoutModels(body)),
    reset: () => response.destroy(),
    refused: () => response.destroy(),
    missing: () => response.writeHead(404).end(),
  }
  answers[mode]()
}

function withoutModels(body: Uint8Array): string {
  return JSON.stringify({ ...(JSON.parse(Buffer.from(body).toString()) as object), models: {} })
}
