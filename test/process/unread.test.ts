import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { watchLoop } from '../support/loop-lag.js'
import { type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'

/** What the process may occupy, whatever is asked of it. */
const RESIDENT_BYTES_MAX = 400_000_000
const CONNECTIONS = 100
const REQUESTS_EACH = 10
const ATTACKER = 'the-key-of-one-that-does-not-read'
const OTHER = 'the-key-of-another-project'
const OF_OTHERS = [
  '/livez',
  '/api/v1/aliases/resolve?alias=a1',
  '/api/v1/aliases/?limit=100',
  '/api/v1/logs?limit=20',
  '/api/v1/stats',
]

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let database: TestDatabase
let program: ServedProgram
let loop: ReturnType<typeof watchLoop>
const sockets: Socket[] = []

beforeAll(async () => {
  ;[directory, database] = await Promise.all([temporaryDirectory(), cloneDatabase()])
  loop = watchLoop(directory.path)
  program = await serveProgram(directory.path, {
    ...loop.environment,
    LLMRING_DATABASE_URL: database.url,
    LLMRING_NEW_PROJECTS_PER_MINUTE: '0',
  })
  await Promise.all([bindMany(ATTACKER, 1_000), bindMany(OTHER, 100)])
}, 60_000)
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await stopProgram(program)
  await Promise.all([directory.remove(), database.drop()])
})

async function bindMany(key: string, count: number): Promise<void> {
  const metadata = { text: 'x'.repeat(700) }
  const aliases = Array.from({ length: count }, (_, at) => ({ alias: `a${at}`, model: 'openai:gpt-4o-mini', metadata }))
  const headers = { 'Content-Type': 'application/json', 'X-API-Key': key }
  const init = { method: 'POST', headers, body: JSON.stringify(aliases) }
  expect((await fetch(`${program.url}/api/v1/aliases/bulk_upsert`, init)).status).toBe(200)
}

/** A connection that asks again and again, and takes nothing of what it is sent. */
async function openUnread(path: string): Promise<void> {
  const { hostname, port } = new URL(program.url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${ATTACKER}\r\n\r\n`.repeat(REQUESTS_EACH))
  sockets.push(socket)
}

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`${program.url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

describe('a caller who asks for a thousand lists and reads none of them', () => {
  test('keeps no other project waiting: it is answered while most of the lists still wait', async () => {
    await loop.read()
    await Promise.all(Array.from({ length: CONNECTIONS }, () => openUnread('/api/v1/aliases/?limit=500')))
    await eventually(async () => expect(await gauge('llmring_requests_in_flight')).toBeGreaterThan(CONNECTIONS))
    const answers = await Promise.all(
      OF_OTHERS.map((path) => fetch(program.url + path, { headers: { 'X-API-Key': OTHER } })),
    )
    expect(answers.map(({ status }) => status)).toEqual(OF_OTHERS.map(() => 200))
    expect(await gauge('llmring_requests_in_flight')).toBeGreaterThan((CONNECTIONS * REQUESTS_EACH) / 2)
    const { rssBytesMax } = await loop.read()
    expect(rssBytesMax).toBeLessThan(RESIDENT_BYTES_MAX)
  }, 60_000)

  test('leaves nothing behind', async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await eventually(async () => expect(await gauge('llmring_requests_in_flight')).toBe(1))
    expect(await gauge('llmring_unread_response_bytes')).toBe(0)
    expect(await gauge('llmring_held_body_bytes')).toBe(0)
    const { rssBytesMax } = await loop.read()
    console.info(`${(rssBytesMax / 1e6).toFixed(0)} MB`)
  }, 60_000)
})
