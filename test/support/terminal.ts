import { type ChildProcess, spawn } from 'node:child_process'

type Closed = { readonly code: number | null; readonly stdout: string; readonly stderr: string }
export type Shell = {
  /** The first match in standard error (its first group, if it has one); rejects with what was printed where it ends instead. */
  said(what: RegExp): Promise<string>
  /** To the whole group, as a terminal sends its signals. Does nothing where the shell has ended. */
  signal(name: NodeJS.Signals): void
  readonly ended: Promise<Closed>
}

/**
 * Runs a script in bash as a user's terminal would: in a process group of its own, and with no variable of this process
 * but HOME and PATH, less what npm put on the PATH for its own scripts. The arguments are `$0`, `$1` and so on.
 */
export function openShell(
  script: string,
  cwd: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Shell {
  const path = (process.env.PATH ?? '').split(':').filter((part) => !part.includes('node_modules'))
  const child = spawn('bash', ['-c', `umask 022\n${script}`, ...args], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: path.join(':'), HOME: process.env.HOME, ...environment },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += String(data)
  })
  child.stderr.on('data', (data) => {
    stderr += String(data)
  })
  const ended = new Promise<Closed>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  return {
    ended,
    signal: (name) => signalGroup(child, name),
    said: (what) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = what.exec(stderr)
          if (found !== null) resolve(found[1] ?? found[0])
        }
        child.stderr.on('data', look)
        look()
        void ended.then(({ code }) => reject(new Error(`${script}\nended with ${code}:\n${stdout}\n${stderr}`)))
      }),
  }
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name)
}
