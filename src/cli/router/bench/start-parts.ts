import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadVariable } from '../../../features/gateway/config/read-config.js'
import { expireAfter } from '../../../platform/deadline.js'
import { CLI_LIMITS } from '../../limits.js'

/** The addresses that calls are measured at, each of another process of this program. */
export type Parts = {
  /** The upstream itself. */
  readonly direct: string
  readonly pipe: string
  readonly gateway: string
  /** Ends the processes and removes what they wrote. */
  readonly stop: () => Promise<void>
}

const ANSWERS = /answers at (http:\S+)/
const DIRECTORY_MODE = 0o755

/**
 * Starts an upstream, a bare pipe to it and the gateway in front of it, which keeps its rows in a Postgres of its own, in a
 * directory of its own: what is configured for the service here is not touched. Throws what a part said if it ends instead.
 */
export async function startParts(variable: ReadVariable, signal: AbortSignal): Promise<Parts> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-'))
  // The database of root runs as another user, who has to get in.
  await chmod(directory, DIRECTORY_MODE)
  const children: ChildProcess[] = []
  const stop = async () => {
    await Promise.all(children.map(end))
    await rm(directory, { recursive: true, force: true })
  }
  const start = async (part: string, argument = ''): Promise<string> => {
    const child = spawnPart({ directory, variable }, part, argument)
    children.push(child)
    return addressOf(part, child, signal)
  }
  try {
    const direct = await start('upstream')
    const file = join(directory, 'gateway.yaml')
    await writeFile(file, configuration(direct))
    const [pipe, gateway] = await Promise.all([start('pipe', direct), start('gateway', file)])
    return { direct, pipe, gateway, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const configuration = (upstream: string): string =>
  `providers: [{ name: local, base_url: "${upstream}/v1", model: bench }]\ncache: { enabled: false }\n`

type Place = { readonly directory: string; readonly variable: ReadVariable }

function spawnPart({ directory, variable }: Place, part: string, argument: string): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'router', 'bench-part', part, argument], {
    cwd: directory,
    env: {
      ...{ PATH: variable('PATH'), HOME: variable('HOME'), TMPDIR: variable('TMPDIR') },
      ...{ LLMRING_HOST: '127.0.0.1', LLMRING_PORT: '0', LLMRING_DATA_DIR: join(directory, 'data') },
      // Nobody answers there: the registry that comes with the program is enough.
      LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/',
    },
    stdio: ['pipe', 'ignore', 'pipe'],
  })
}

/** Where a part answers, once it says so. */
function addressOf(part: string, child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const settle = (act: () => void) => {
      cancel()
      signal.removeEventListener('abort', giveUp)
      act()
    }
    const fail = (why: string) => settle(() => reject(new Error(`The ${part} of the bench ${why}.\n${said}`.trim())))
    const giveUp = () => fail('was stopped')
    const cancel = expireAfter(CLI_LIMITS.benchStartMsMax, () => fail('did not start in time'))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    child.once('error', (error) => fail(`did not start (${error.message})`))
    child.once('exit', (code) => fail(`ended with ${code}`))
    child.stderr?.on('data', (data: Buffer) => {
      if (said.length < CLI_LIMITS.benchSaidCharactersMax) said += data.toString()
      const [, url] = ANSWERS.exec(said) ?? []
      if (url !== undefined) settle(() => resolve(url))
    })
  })
}

/** Lets a part stop cleanly, and ends it if it does not. */
function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const cancel = expireAfter(CLI_LIMITS.benchStopMsMax, () => child.kill('SIGKILL'))
    child.once('exit', () => {
      cancel()
      resolve()
    })
    child.kill('SIGTERM')
  })
}
