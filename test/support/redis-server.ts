import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why Redis tests are skipped here, or null where they run. */
export const REDIS_MISSING: string | null =
  spawnSync('redis-server', ['--version']).status === 0 ? null : 'there is no redis-server on the PATH'

export type TestRedis = {
  readonly url: string
  /** Lets it hang: it accepts connections and answers nothing, until `thaw`. */
  freeze(): void
  thaw(): void
  kill(): Promise<void>
  close(): Promise<void>
}

/** A redis-server of the caller's own on a free loopback port, without persistence. */
export async function startRedis(): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-redis-'))
  const port = await freePort()
  const password = randomBytes(8).toString('hex')
  const settings = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no', requirepass: password }
  const server = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await ready(server)
  const stop = async (signal: NodeJS.Signals) => {
    server.kill(signal)
    await ended
  }
  return {
    url: `redis://:${password}@127.0.0.1:${port}/0`,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    kill: () => stop('SIGKILL'),
    close: async () => {
      await stop('SIGTERM')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    server.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('Ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`redis-server ended at once: ${said}`)))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
