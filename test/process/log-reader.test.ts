import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'

const LOGGER = new URL('../../dist/platform/logger.js', import.meta.url).href
const running: ChildProcess[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/**
 * A program that logs `lines` lines once it is told to, flushes as the service does at its end, and ends; with `beat`
 * it goes on with small ones until it is told to end.
 */
function startLogging(lines: number, after: 'end' | 'beat' = 'end') {
  const script = `
    import { createServiceLogger } from ${JSON.stringify(LOGGER)}
    const { logger, flush } = await createServiceLogger('info', process.stdout.isTTY)
    const end = () => {
      flush()
      process.exit(7)
    }
    process.once('message', () => {
      for (let line = 0; line < ${lines}; line++) logger.info({ line }, 'x'.repeat(1000))
      if (${after === 'end'}) end()
      let line = ${lines}
      setInterval(() => logger.info({ line: line++ }, 'beat'), 1)
      process.once('message', end)
    })
    process.send('ready')
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  running.push(child)
  const ready = new Promise((resolve) => child.once('message', resolve))
  const code = new Promise((resolve) => child.once('exit', resolve))
  return { child, ready, code }
}

describe('a program whose log has no reader any more', () => {
  it('ends when its reader has gone', async () => {
    const { child, ready, code } = startLogging(1)
    await ready
    child.stdout?.destroy()
    child.send('log')
    expect(await code).toBe(7)
  })

  it('ends when its reader is there and reads nothing', async () => {
    const { child, ready, code } = startLogging(4_000)
    await ready
    child.send('log')
    expect(await code).toBe(7)
  })
})

describe('a program whose log is read', () => {
  it('says how many lines it dropped, whose reader was too slow for them', async () => {
    const lines = 12_000
    const { child, ready, code } = startLogging(lines, 'beat')
    let text = ''
    await ready
    child.send('log')
    child.stdout?.on('data', (data) => {
      text += String(data)
    })
    // A failed expectation would show these twelve megabytes, fifty times a second, and keep the reader from reading.
    await eventually(() => {
      if (!text.includes('log lines were dropped')) throw new Error('nothing is said of lines that were dropped')
    }, 60_000)
    child.send('end')
    expect(await code).toBe(7)
    type Line = { level: string; msg: string; line?: number; lines?: number }
    const all = text.slice(0, text.lastIndexOf('\n')).split('\n')
    const read = all.map((line): Line => JSON.parse(line))
    const dropped = read.filter(({ msg }) => msg.startsWith('log lines were dropped'))
    expect(new Set(dropped.map(({ level }) => level))).toEqual(new Set(['warn']))
    const numbers = read.flatMap(({ line }) => line ?? [])
    const missing = (numbers.at(-1) ?? 0) + 1 - numbers.length
    expect(missing).toBeGreaterThan(0)
    // On a busy machine more may be dropped after the first lines that were.
    expect(dropped.reduce((sum, line) => sum + (line.lines ?? 0), 0)).toBe(missing)
  }, 90_000)

  it('writes every line, in order, before it ends', async () => {
    const { child, ready, code } = startLogging(2_000)
    let text = ''
    child.stdout?.on('data', (data) => {
      text += String(data)
    })
    const closed = new Promise((resolve) => child.once('close', resolve))
    await ready
    child.send('log')
    expect(await code).toBe(7)
    await closed
    const numbers = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).line)
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, line) => line))
  })
})
