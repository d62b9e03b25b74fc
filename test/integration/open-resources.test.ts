import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openResources } from '../../src/compose/database.js'
import { untilItAnswers } from '../../src/compose/until-it-answers.js'
import { readConfig } from '../../src/config/config.js'
import { Aborted } from '../../src/platform/abortable.js'
import { createLogger } from '../../src/platform/logger.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'

const servers: Server[] = []
const databases: TestDatabase[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  for (const database of databases.splice(0)) await database.drop()
})

/** Where each connection is handed to `onConnection`, with those that are open. */
async function listenOn(onConnection: (socket: Socket) => void) {
  const open = new Set<Socket>()
  const asked = vi.fn()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => undefined)
    asked()
    onConnection(socket)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { url: `postgres://u:p@127.0.0.1:${port}/llmring`, open, asked }
}

function open(urls: { url: string; directUrl: string }, signal: AbortSignal) {
  const { url, directUrl } = urls
  const read = readConfig('/', { LLMRING_DATABASE_URL: url, LLMRING_DATABASE_DIRECT_URL: directUrl })
  if (!read.ok) throw new Error(read.faults.join('\n'))
  return openResources(read.config, createLogger('silent'), 'own', signal)
}

describe('a start that is given up', () => {
  it('while its pool opens leaves no connection of the pool behind', async () => {
    const database = await cloneDatabase()
    databases.push(database)
    const silent = await listenOn((socket) => socket.resume())
    const controller = new AbortController()
    const opening = open({ url: silent.url, directUrl: database.url }, controller.signal)
    const outcome = expect(opening).rejects.toThrow(Aborted)
    await eventually(() => expect(silent.open.size).toBe(1))
    controller.abort('SIGTERM')
    await outcome
    await eventually(() => expect(silent.open.size).toBe(0), 1_000)
  })

  it.each(['before', 'between'])('makes no try to reach the database any more: %s tries', async (when) => {
    const controller = new AbortController()
    const work = vi.fn(() => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })))
    const logger = { warn: () => controller.abort('SIGTERM') }
    if (when === 'before') controller.abort('SIGTERM')
    const trying = untilItAnswers({ logger, msMax: 60_000, pauseMs: 1, signal: controller.signal }, work)
    await expect(trying).rejects.toThrow(Aborted)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(work).toHaveBeenCalledTimes(when === 'before' ? 0 : 1)
  })
})

describe('a start', () => {
  it('tries again until the database answers', async () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    const work = vi.fn().mockRejectedValueOnce(refused).mockRejectedValueOnce(refused).mockResolvedValueOnce('there')
    const patience = { logger: { warn: () => undefined }, msMax: 60_000, pauseMs: 1, signal: undefined }
    expect(await untilItAnswers(patience, work)).toBe('there')
  })
})
