import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file system in memory, on Linux. */
const MEMORY = '/dev/shm'
const PREFIX = 'llmring-tests-'
/** A whole run occupies up to 2 GB of it at once. */
const FREE_BYTES_MIN = 4 * 2 ** 30
/** Beside it the run's programs, databases and browsers need their own. */
const AVAILABLE_BYTES_MIN = 8 * 2 ** 30
/** Younger ones may be of a run whose processes cannot be seen from here. */
const LEFT_MS_MIN = 3_600_000

export type MemoryFolder = { readonly path: string; remove(): void }

/**
 * A folder in memory for everything that a run of the tests writes: an installation, dozens of clusters, hundreds of
 * databases, none of which outlive it. Making a file there takes a tenth of the processor time that it takes on a disk.
 * Undefined where there is no such file system, where it or the memory is small, or where it runs no programs (as in most
 * containers).
 */
export function openMemoryFolder(
  memory = MEMORY,
  availableBytes = process.availableMemory(),
): MemoryFolder | undefined {
  if (availableBytes < AVAILABLE_BYTES_MIN || !hasRoom(memory)) return undefined
  removeLeft(memory)
  const path = mkdtempSync(join(memory, `${PREFIX}${process.pid}-`))
  const remove = () => rmSync(path, { recursive: true, force: true })
  // PostgreSQL's own user passes through, if the tests are run by root.
  chmodSync(path, 0o755)
  if (runsPrograms(path)) return { path, remove }
  remove()
  return undefined
}

function hasRoom(memory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize >= FREE_BYTES_MIN
  } catch {
    return false
  }
}

function runsPrograms(path: string): boolean {
  const program = join(path, 'program')
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
  const { status } = spawnSync(program)
  rmSync(program)
  return status === 0
}

/** What a run that was killed could not remove would occupy the memory until the machine is started anew. */
function removeLeft(memory: string): void {
  for (const name of readdirSync(memory).filter((entry) => entry.startsWith(PREFIX))) {
    const path = join(memory, name)
    const owner = Number.parseInt(name.slice(PREFIX.length), 10)
    if (isAlive(owner) || Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < LEFT_MS_MIN) continue
    rmSync(path, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
