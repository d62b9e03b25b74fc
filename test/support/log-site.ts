import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatEntryBundle, parseTilePath, tileWidth } from '../../src/core/tlog/index.js'
import { nameOf } from '../unit/tlog-trees.js'
import type { SignedLog } from './signed-log.js'

type Answer = {
  readonly status: number
  readonly body?: string | Uint8Array
  readonly headers?: Record<string, string>
}

export type LogSite = {
  readonly url: string
  /** The paths that were asked for, without `/log/`. */
  readonly asked: string[]
  /** What is served, as it is when it is asked for. */
  log: SignedLog
  note: string
  /** The newest checkpoint that witnesses cosigned; null: there is no such route. */
  witnessed: string | null
  /** Answers in the log's place; undefined leaves the answer to the log. */
  meddle: (path: string) => Answer | undefined
  close(): Promise<void>
}

/** The public routes of a log in memory, on a port of this machine. */
export async function openLogSite(log: SignedLog, note: string): Promise<LogSite> {
  const server = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? '').replace(/^\/log\//, '')
    site.asked.push(path)
    const { status, body, headers } = site.meddle(path) ?? answer(site, path)
    outgoing.writeHead(status, headers).end(body)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const site: LogSite = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    log,
    note,
    witnessed: null,
    meddle: () => undefined,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
  return site
}

function answer({ log, note, witnessed }: LogSite, path: string): Answer {
  if (path === 'checkpoint') return { status: 200, body: note }
  if (path === 'checkpoint/witnessed') return witnessed === null ? { status: 404 } : { status: 200, body: witnessed }
  const parsed = parseTilePath(path)
  if (!parsed.ok) return { status: 404 }
  const { level, index, width } = parsed.path
  if (level === 'entries') {
    const entries = log.entries.slice(index * tileWidth, index * tileWidth + width)
    return entries.length === width ? { status: 200, body: formatEntryBundle(entries) } : { status: 404 }
  }
  const tile = log.tree.tiles.get(nameOf({ level, index }))
  const isThere = tile !== undefined && tile.length >= width * 32
  return isThere ? { status: 200, body: tile.subarray(0, width * 32) } : { status: 404 }
}
