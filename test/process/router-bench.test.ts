import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../support/command.js'
import { eventually } from '../support/eventually.js'
import { runProgram, startProgram, temporaryDirectory } from '../support/program.js'

/** It makes a database of its own first. */
const WAIT_MS = 180_000
/** Of a setting of the service that the bench may not touch: nothing answers there. */
const NOT_THERE = 'postgres://planted:planted@127.0.0.1:9/planted'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
beforeAll(async () => {
  directory = await temporaryDirectory()
})
afterAll(() => directory.remove())

const bench = (...args: string[]) =>
  [['router', 'bench', ...args], directory.path, { TMPDIR: directory.path, LLMRING_DATABASE_URL: NOT_THERE }] as const
const left = () => readdirSync(directory.path).filter((name) => name.startsWith('llmring-bench-'))
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The database of a bench that is under way. */
const databaseOf = (): Promise<number> =>
  eventually(() => {
    const found = readdirSync(directory.path, { recursive: true, encoding: 'utf8' })
    const file = found.find((name) => name.endsWith('postmaster.pid'))
    const pid = Number.parseInt(readFileSync(join(directory.path, String(file)), 'utf8'), 10)
    expect(isAlive(pid)).toBe(true)
    return pid
  }, WAIT_MS)

describe('router bench', { timeout: WAIT_MS }, () => {
  test('measures streams through the gateway and through a pipe, with no database given, and leaves nothing', async () => {
    const args = ['--stream', '--calls', '20', '--concurrency', '4', '--seconds', '600', '--json']
    const { code, stdout, stderr } = await runProgram(...bench(...args))
    expect([code, stderr]).toEqual([0, ''])
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ stream: true, rounds: 5, calls: 20, concurrency: 4 })
    for (const latency of [report.first_byte_ms, report.whole_ms]) {
      expect(Object.keys(latency)).toEqual(['direct', 'pipe', 'gateway', 'pipe_added', 'gateway_added'])
      for (const way of ['direct', 'pipe', 'gateway']) {
        const { p50, p95, p99 } = latency[way]
        expect(p50).toBeGreaterThan(0)
        expect(p95).toBeGreaterThanOrEqual(p50)
        expect(p99).toBeGreaterThanOrEqual(p95)
      }
    }
    expect(report.whole_ms.gateway.p50).toBeGreaterThanOrEqual(report.first_byte_ms.gateway.p50)
    expect(report.throughput_ratio).toBeGreaterThan(0)
    expect(left()).toEqual([])
  })

  test('stops at Ctrl-C, and takes its processes and files away', async () => {
    const program = startProgram(...bench('--calls', '1000000'))
    const database = await databaseOf()
    program.child.kill('SIGINT')
    expect(await program.ended).toMatchObject({ code: 1 })
    expect(isAlive(database)).toBe(false)
    expect(left()).toEqual([])
  })

  test('leaves no process behind if it is killed', async () => {
    const program = startProgram(...bench('--calls', '1000000'))
    const database = await databaseOf()
    program.child.kill('SIGKILL')
    await program.ended
    await eventually(() => expect(isAlive(database)).toBe(false), WAIT_MS)
  })

  test('explains itself, and refuses what it cannot do', async () => {
    const help = await runCommand(['router', 'bench', '--help'])
    for (const word of ['--calls', '--concurrency', '--seconds', '--stream', '--json', 'no\ndatabase is needed'])
      expect(help.stdout).toContain(word)
    for (const args of [
      ['--calls', '0'],
      ['--concurrency', '1001'],
      ['--seconds', 'x'],
      ['--calls', '1e9'],
    ]) {
      const { code, stderr } = await runCommand(['router', 'bench', ...args])
      expect([code, stderr]).toEqual([1, expect.stringContaining('a whole number from 1 to')])
    }
    const all = await runCommand(['router', '--help'])
    expect(all.stdout).toContain('bench')
    expect(all.stdout).not.toContain('bench-part')
  })
})
