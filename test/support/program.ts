import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built program. */
export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export type Ended = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}
export type Program = {
  readonly child: ChildProcess
  readonly pid: number
  stdout(): string
  stderr(): string
  readonly ended: Promise<Ended>
}
export type ServedProgram = Program & { readonly url: string }

/** A directory of the test's own, outside the checkout, that every user may enter: so that root keeps its data in it. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'llmring-process-'))
  await chmod(path, 0o755)
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** The built program, as its users run it: no variable of ours but those that are given. */
export function startProgram(args: readonly string[], cwd: string, environment: Record<string, string> = {}): Program {
  const inherited = { PATH: process.env.PATH, HOME: process.env.HOME }
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += String(data)
  })
  child.stderr.on('data', (data) => {
    stderr += String(data)
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  if (child.pid === undefined) throw new Error('the program did not start')
  return { child, pid: child.pid, stdout: () => stdout, stderr: () => stderr, ended }
}

/** Runs a command to its end. */
export const runProgram = (
  args: readonly string[],
  cwd: string,
  environment?: Record<string, string>,
): Promise<Ended> => startProgram(args, cwd, environment).ended

/** `serve`, once it answers. Rejects with what it printed where it ends instead. */
export async function serveProgram(cwd: string, environment: Record<string, string> = {}): Promise<ServedProgram> {
  const program = startProgram(['serve'], cwd, {
    LLMRING_HOST: '127.0.0.1',
    LLMRING_PORT: '0',
    LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/',
    ...environment,
  })
  const url = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const found = /answers at (\S+)[\s\S]*receipts/.exec(program.stderr())?.[1]
      if (found !== undefined) resolve(found)
    }
    program.child.stderr?.on('data', look)
    void program.ended.then((end) =>
      reject(new Error(`serve ended with ${end.code ?? end.signal}:\n${end.stderr}\n${end.stdout}`)),
    )
  })
  return { ...program, url }
}

/** Asks for a clean stop and waits for it. */
export async function stopProgram(program: Program, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  program.child.kill(signal)
  return program.ended
}
