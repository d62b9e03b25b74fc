import { link, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makingName } from '../../platform/durable.js'
import { codeOf } from './embedded-error.js'
import { commandOf, workingDirectoryOf } from './process-facts.js'

/**
 * What `postmaster.pid` of a cluster says, checked against the process that it names (PostgreSQL manual, "Database
 * File Layout"). `pidTaken`: some other process has the number now, which makes Postgres itself refuse to start.
 */
export type PostmasterState =
  | { readonly status: 'none' }
  | { readonly status: 'unfinished'; readonly text: string }
  | { readonly status: 'stale'; readonly text: string; readonly pidTaken: boolean }
  | { readonly status: 'live'; readonly pid: number; readonly port: number }

/** Looks at a cluster's `postmaster.pid`. */
export async function lookAtPostmaster(clusterDir: string): Promise<PostmasterState> {
  let text: string
  try {
    text = await readFile(pidFileOf(clusterDir), 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { status: 'none' }
    throw error
  }
  const lines = text.split('\n')
  const pid = Number(lines[0])
  const port = Number(lines[3])
  if (!(Number.isInteger(pid) && pid > 0 && Number.isInteger(port) && port > 0)) return { status: 'unfinished', text }
  if (await isPostmasterOf(pid, clusterDir)) return { status: 'live', pid, port }
  return { status: 'stale', text, pidTaken: isTaken(pid) }
}

/**
 * Whether this process is the postmaster of this very folder. A number proves nothing: it may have been given to
 * another program, be a zombie, or belong to the original of a folder that was copied with its `postmaster.pid`.
 */
export async function isPostmasterOf(pid: number, clusterDir: string): Promise<boolean> {
  if (!isTaken(pid)) return false
  const command = await commandOf(pid)
  if (command === undefined || !/(^|\/)postgres$/.test(command.program)) return false
  const cluster = await identityOf(clusterDir)
  // A postmaster works in its data folder; if that may not be seen, what it was started with has to do.
  const seen = (await workingDirectoryOf(pid)) ?? command.dataDir
  return cluster !== undefined && seen !== undefined && (await identityOf(seen)) === cluster
}

/**
 * Removes a `postmaster.pid` that was judged to be left over, and only that one: a newer one is put back. Should two
 * processes get past this all the same, Postgres's own lock on the cluster's shared memory lets one of them start.
 */
export async function removePidFile(clusterDir: string, judged: string): Promise<void> {
  const name = pidFileOf(clusterDir)
  const aside = makingName(name)
  try {
    // Crash after this: a stray file in the cluster that is never read.
    await rename(name, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if ((await readFile(aside, 'utf8')) !== judged) await link(aside, name).catch(() => undefined)
  await rm(aside, { force: true })
}

function pidFileOf(clusterDir: string): string {
  return join(clusterDir, 'postmaster.pid')
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  return stat(path).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  )
}
