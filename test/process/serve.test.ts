import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/call.js'
import { eventually } from '../support/eventually.js'
import {
  type Program,
  runProgram,
  serveProgram,
  startProgram,
  stopProgram,
  temporaryDirectory,
} from '../support/program.js'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
const running: Program[] = []
const serve = async (environment: Record<string, string> = {}) => {
  const program = await serveProgram(directory.path, environment)
  running.push(program)
  return program
}

// Every test leaves the data directory whole and closed, and writes with a key of its own.
beforeAll(async () => {
  directory = await temporaryDirectory()
})
afterEach(async () => {
  for (const program of running.splice(0)) await stopProgram(program, 'SIGTERM')
  // Whatever a killed service left running is adopted once more, to be stopped in an orderly way.
  if (existsSync(pidFile())) await runProgram(['migrate'], directory.path)
})
afterAll(() => directory.remove())

const pidFile = () => join(directory.path, '.llmring', 'postgres', 'cluster', 'postmaster.pid')

const logOne = (url: string, key: string, id: string) =>
  call(url, '/api/v1/log', {
    key,
    json: { provider: 'openai', model: 'm', input_tokens: 1, output_tokens: 1, id_at_origin: id, cost: 0.5 },
  })

/** Logs events one after the other on some connections until told to stop; says which ids were answered. */
function keepLogging(url: string) {
  const key = `key-${randomUUID()}`
  const answered = new Set<string>()
  const refused: number[] = []
  let stopped = false
  let sent = 0
  const lane = async () => {
    while (!stopped) {
      const id = `event-${sent++}`
      const status = await logOne(url, key, id).then(
        (answer) => answer.status,
        () => 0,
      )
      if (status === 200) answered.add(id)
      else refused.push(status)
      if (status !== 200) await sleep(20)
    }
  }
  const lanes = Promise.all(Array.from({ length: 16 }, lane))
  return {
    key,
    answered,
    refused,
    stop: async () => {
      stopped = true
      await lanes
    },
  }
}

async function storedIds(url: string, key: string): Promise<string[]> {
  const ids: string[] = []
  for (let offset = 0; ; offset += 500) {
    const { json } = await call(url, `/api/v1/logs?limit=500&offset=${offset}`, { key })
    ids.push(...(json as { id_at_origin: string }[]).map((row) => row.id_at_origin))
    if (json.length < 500) return ids
  }
}

/** Every answered write is there, and no write is there twice. */
async function expectKept(url: string, { key, answered }: ReturnType<typeof keepLogging>): Promise<void> {
  const ids = await storedIds(url, key)
  expect(ids.length).toBe(new Set(ids).size)
  const stored = new Set(ids)
  expect([...answered].filter((id) => !stored.has(id))).toEqual([])
}

describe('the built program', () => {
  it('keeps every answered write when it is killed under load, and adopts its orphaned Postgres', async () => {
    const first = await serve()
    const load = keepLogging(first.url)
    await eventually(() => expect(load.answered.size).toBeGreaterThan(300), 30_000)
    first.child.kill('SIGKILL')
    await first.ended
    await load.stop()
    const second = await serve()
    // The log is written a buffer at a time: what is said on standard error may come first.
    await eventually(() => expect(second.stdout()).toContain('adopted'), 30_000)
    await expectKept(second.url, load)
  })

  it('goes on by itself when Postgres is killed under load: 503 meanwhile, and every answered write is kept', async () => {
    const program = await serve()
    const load = keepLogging(program.url)
    await eventually(() => expect(load.answered.size).toBeGreaterThan(200), 30_000)
    const postmaster = async () => Number((await readFile(pidFile(), 'utf8')).split('\n')[0])
    const killed = await postmaster()
    process.kill(killed, 'SIGKILL')
    await eventually(async () => expect(await postmaster()).not.toBe(killed), 30_000)
    const before = load.answered.size
    await eventually(() => expect(load.answered.size).toBeGreaterThan(before + 200), 40_000)
    await load.stop()
    expect(load.refused.filter((status) => status !== 503)).toEqual([])
    await expectKept(program.url, load)
  })

  it('ends with 1 when its PostgreSQL is lost for good, so that whoever watches over it starts it anew', async () => {
    const program = await serve()
    const postmaster = Number((await readFile(pidFile(), 'utf8')).split('\n')[0])
    // Nothing can be restarted beside a file that cannot even be read.
    await rm(pidFile())
    await mkdir(pidFile())
    process.kill(postmaster, 'SIGKILL')
    expect(await program.ended).toMatchObject({ code: 1, signal: null })
    expect(program.stdout()).toContain('is lost')
    await rmdir(pidFile())
  })

  it('drains on SIGTERM: what is under way is answered, Postgres stops last, the exit code is 0', async () => {
    const program = await serve()
    const load = keepLogging(program.url)
    await eventually(() => expect(load.answered.size).toBeGreaterThan(100), 30_000)
    const ended = stopProgram(program)
    expect(await ended).toMatchObject({ code: 0 })
    await load.stop()
    // Nothing was answered with an error: a connection was served to its answer or not accepted at all.
    expect(load.refused.filter((status) => status !== 0)).toEqual([])
    expect(program.stdout().trim().split('\n').at(-1)).toContain('stopped')
    const second = await serve()
    expect(second.stdout()).not.toContain('adopted')
    await expectKept(second.url, load)
  })

  it('refuses a data directory that another service uses, with exit code 75, and leaves that one alone', async () => {
    const first = await serve()
    const second = await startProgram(['serve'], directory.path, { LLMRING_PORT: '0' }).ended
    expect(second).toMatchObject({ code: 75 })
    expect(second.stderr).toMatch(/in use/)
    expect((await call(first.url, '/health')).json).toEqual({ status: 'healthy', database: 'connected' })
  })

  it('makes, lists and revokes keys while it runs; a revoked key is refused soon after', async () => {
    const program = await serve({ LLMRING_PROJECTS: 'closed' })
    const made = await runProgram(['keys', 'create', '--name', 'ci', '--json'], directory.path)
    expect(made).toMatchObject({ code: 0 })
    const { key, id } = JSON.parse(made.stdout) as { key: string; id: string }
    expect((await call(program.url, '/api/v1/aliases/', { key })).status).toBe(200)
    expect((await call(program.url, '/api/v1/aliases/', { key: 'invented' })).status).toBe(401)
    const listed = await runProgram(['keys', 'list'], directory.path)
    expect(listed.stdout).toContain(id)
    expect(listed.stdout).not.toContain(key)
    expect(await runProgram(['keys', 'revoke', id], directory.path)).toMatchObject({ code: 0 })
    await eventually(
      async () => expect((await call(program.url, '/api/v1/aliases/', { key })).status).toBe(401),
      30_000,
    )
    expect(await runProgram(['keys', 'revoke', id], directory.path)).toMatchObject({ code: 1 })
  })

  it('keeps its receipts key and its data from one start to the next', async () => {
    const first = await serve()
    const issued = await call(first.url, '/api/v1/receipts/issue', {
      json: {
        ...{
          model: 'openai:gpt-4o-mini',
          alias: 'a',
          profile: 'default',
          lock_digest: 'none',
          registry_version: 'openai@7',
        },
        ...{ tokens: { input: 1, output: 2, cached_input: 0 }, cost: { amount: '0.5', calculation: 'by hand' } },
      },
    })
    expect(issued.status).toBe(200)
    expect(await stopProgram(first)).toMatchObject({ code: 0 })
    const second = await serve()
    expect((await call(second.url, `/api/v1/receipts/${issued.json.id}`)).text).toBe(issued.text)
    const verdict = await call(second.url, '/api/v1/receipts/verify', {
      body: issued.text,
      headers: { 'Content-Type': 'application/json' },
    })
    expect(verdict.json).toMatchObject({ valid: true })
    expect(await stopProgram(second)).toMatchObject({ code: 0 })

    // The database without its key, and the key without its database: neither is replaced by a new one.
    const key = join(directory.path, '.llmring', 'receipts-key')
    await rename(key, `${key}.away`)
    const keyless = await startProgram(['serve'], directory.path, { LLMRING_PORT: '0' }).ended
    expect(keyless).toMatchObject({ code: 78, stderr: expect.stringMatching(/^The receipts key .* is gone.*\n$/) })
    await rename(`${key}.away`, key)
    const cluster = join(directory.path, '.llmring', 'postgres')
    await rename(cluster, `${cluster}.away`)
    const empty = await startProgram(['serve'], directory.path, { LLMRING_PORT: '0' }).ended
    expect(empty).toMatchObject({ code: 78, stderr: expect.stringMatching(/database is not found.*restore/) })
    await rename(`${cluster}.away`, cluster)
  })
})
