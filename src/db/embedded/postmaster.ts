import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { spawnIdentity } from './account.js'
import type { Binaries } from './binaries.js'
import { codeOf, EmbeddedError } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'
import { linkLibraries } from './link-libraries.js'
import type { Place } from './place.js'
import { isPostmasterOf, lookAtPostmaster } from './postmaster-pid.js'
import { COMMAND_ENVIRONMENT } from './run-as.js'
import { boundLog } from './server-log.js'

/** A Postgres that we started. `running` turns false when it has ended and been reaped. */
export type Postmaster = { readonly pid: number; readonly running: () => boolean }

/** Given on the command line, which wins over every file in the cluster: what must hold whatever is written there. */
function settings(port: number): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'on',
    full_page_writes: 'on',
    password_encryption: 'scram-sha-256',
    max_connections: '100',
    shared_buffers: '128MB',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_timezone: 'UTC',
    timezone: 'UTC',
    // A failed statement's text and details would carry tenants' values into a file that is not guarded like data.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  }
}

/**
 * Starts Postgres on 127.0.0.1. It is up when its `postmaster.pid` is live and it lets us in. Throws `start-failed`.
 */
export async function spawnPostmaster(place: Place, binaries: Binaries, port: number): Promise<Postmaster> {
  await boundLog(place.logFile)
  // Another installation under a running service (`npm ci`) leaves libraries without their links. If they cannot be
  // made, PostgreSQL itself says in its log what is missing.
  await linkLibraries(binaries.dir).catch(() => undefined)
  const log = await open(place.logFile, 'a', 0o600)
  try {
    const args = Object.entries(settings(port)).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(binaries.postgres, ['-D', place.clusterDir, ...args], {
      ...spawnIdentity(place.account),
      env: COMMAND_ENVIRONMENT,
      cwd: '/',
      // A session of its own: a Ctrl-C in our terminal must not end Postgres in the middle of our drain.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    return { pid: child.pid ?? 0, running: () => child.exitCode === null && child.signalCode === null }
  } catch (error) {
    throw new EmbeddedError('start-failed', `PostgreSQL cannot be started: ${codeOf(error) ?? 'unknown reason'}.`, {
      cause: error,
    })
  } finally {
    await log.close()
  }
}

/**
 * Stops the cluster's live Postgres, whoever started it, and waits until it is gone: fast first (sessions are ended,
 * a checkpoint is written), then immediate, then killed; each step is bounded. Nothing is lost in any of them.
 */
export async function stopPostmaster(clusterDir: string): Promise<void> {
  const state = await lookAtPostmaster(clusterDir)
  if (state.status !== 'live') return
  const steps = [
    ['SIGINT', EMBEDDED_LIMITS.fastStopMsMax],
    ['SIGQUIT', EMBEDDED_LIMITS.immediateStopMsMax],
    ['SIGKILL', EMBEDDED_LIMITS.killMsMax],
  ] as const
  for (const [signal, msMax] of steps) {
    send(state.pid, signal)
    if (await isGone(state.pid, clusterDir, msMax)) return
  }
}

/** A port of 127.0.0.1 that is free right now. Another process may take it before we do: then another port is tried. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

async function isGone(pid: number, clusterDir: string, msMax: number): Promise<boolean> {
  const deadline = performance.now() + msMax
  while (await isPostmasterOf(pid, clusterDir)) {
    if (performance.now() > deadline) return false
    await pause(EMBEDDED_LIMITS.pollMs)
  }
  return true
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended by itself between the look and the signal.
    if (codeOf(error) !== 'ESRCH') throw error
  }
}
