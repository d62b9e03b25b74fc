import { execFile } from 'node:child_process'
import { type Account, spawnIdentity } from './account.js'
import { codeOf, EmbeddedError } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'

/** How a short command ended. `spawnError` is a system error code if it could not even be started. */
export type CommandResult = {
  readonly ok: boolean
  readonly output: string
  readonly spawnError: string | undefined
}

/**
 * The whole environment of every process started here. Ours holds secrets and PG* variables that neither
 * initdb nor Postgres should see.
 */
export const COMMAND_ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' } as const

/**
 * Runs a program as the account and waits for it, at most `msMax` milliseconds or until the signal. Never throws:
 * failure is a result.
 */
export async function runAs(
  account: Account,
  program: string,
  args: readonly string[],
  msMax: number = EMBEDDED_LIMITS.commandMsMax,
  signal?: AbortSignal,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = {
      ...spawnIdentity(account),
      env: COMMAND_ENVIRONMENT,
      // The service's own working directory may be closed to the account.
      cwd: '/',
      timeout: msMax,
      killSignal: 'SIGKILL' as const,
      ...(signal === undefined ? {} : { signal }),
      maxBuffer: EMBEDDED_LIMITS.commandOutputBytesMax,
    }
    try {
      execFile(program, args, options, (error, stdout, stderr) => {
        resolve({ ok: error === null, output: `${stdout}${stderr}`.trim(), spawnError: codeOf(error) })
      })
    } catch (error) {
      // A uid that may not be taken on (no CAP_SETUID) is thrown by some platforms, reported by others.
      resolve({ ok: false, output: '', spawnError: codeOf(error) ?? 'unknown' })
    }
  })
}

/**
 * Whether the account can enter a folder, tried rather than computed: modes alone do not know ACLs or network disks.
 * Throws `start-failed` if nothing can be started as the account at all.
 */
export async function canEnter(account: Account, dir: string): Promise<boolean> {
  if (account.ids === undefined) return true
  const { ok, spawnError } = await runAs(account, '/bin/sh', ['-c', 'cd -- "$1"', 'sh', dir])
  if (spawnError === undefined) return ok
  throw new EmbeddedError(
    'start-failed',
    `PostgreSQL may not run as root, and root may start nothing as ${account.name} here (${spawnError}). Run llmring-server as another user, or set LLMRING_DATABASE_URL.`,
  )
}
