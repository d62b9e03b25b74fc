import { type ChildProcess, fork, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { BareMode } from './bare-server.js'
import type { LoadOrder, LoadResult } from './load.js'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const MAIN = here('../../dist/main.js')
const ROOT = here('../..')

export type Served = { readonly url: string; readonly pid: number; stop(): Promise<void> }

/** A baseline server in a process of its own. */
export async function startBare(mode: BareMode, argument: string): Promise<Served> {
  const child = spawn(process.execPath, ['--import', 'tsx', here('bare-server.ts'), mode, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data).trim())))
  return { url: `http://127.0.0.1:${port}`, pid: pidOf(child), stop: () => stop(child) }
}

type Program = { readonly command: readonly string[]; readonly environment: Record<string, string> }

/** The built program, ready to answer; `startMs` is the time it took. */
export const startBuilt = (environment: Record<string, string>): Promise<Served & { readonly startMs: number }> =>
  startServer({ command: [MAIN, 'serve'], environment })

/** The log goes to a file, as it would in production. */
async function startServer({ command, environment }: Program): Promise<Served & { readonly startMs: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-'))
  const log = await open(join(directory, 'log'), 'w')
  const begun = performance.now()
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      LLMRING_HOST: '127.0.0.1',
      LLMRING_PORT: '0',
      LLMRING_DATA_DIR: directory,
      ...environment,
    },
    stdio: ['ignore', log.fd, 'pipe'],
  })
  const url = await answeringUrl(child)
  const ready = await fetch(`${url}/readyz`)
  if (!ready.ok) throw new Error(`not ready: ${await ready.text()}`)
  return {
    url,
    startMs: performance.now() - begun,
    pid: pidOf(child),
    stop: async () => {
      await stop(child)
      await log.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function answeringUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stderr?.on('data', (data) => {
      text += String(data)
      const url = /answers at (\S+)/.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${text}`)))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  await Promise.race([gone, sleep(20_000).then(() => child.kill('SIGKILL'))])
}

export type Load = { readonly pid: number; run(order: LoadOrder): Promise<LoadResult>; stop(): Promise<void> }

/** A load generator in a process of its own. */
export function startLoad(): Load {
  const child = fork(here('load.ts'), { execArgv: ['--import', 'tsx'] })
  return {
    pid: pidOf(child),
    run: (order) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error('the load generator ended'))
        child.once('exit', ended)
        child.once('message', (result) => {
          child.off('exit', ended)
          resolve(result as LoadResult)
        })
        child.send(order)
      }),
    stop: () => stop(child),
  }
}

const TICKS_PER_SECOND = 100

/** CPU seconds that a process has used (Linux); NaN elsewhere. */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}

/** Resident memory of a process in MB (Linux); NaN elsewhere. */
export function residentMegabytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start')
  return child.pid
}
