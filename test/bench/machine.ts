import { readFileSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { median } from './pairs.js'

const SYNCS = 50

/** Milliseconds that writing 8 KiB and fdatasync take on the disk below `directory`: what a lone commit has to pay. */
export async function fdatasyncMs(directory: string): Promise<number> {
  const home = await mkdtemp(join(directory, 'sync-'))
  const file = await open(join(home, 'probe'), 'w')
  const page = Buffer.alloc(8192, 1)
  const times: number[] = []
  for (let index = 0; index < SYNCS; index++) {
    await file.write(page)
    const begun = performance.now()
    await file.datasync()
    times.push(performance.now() - begun)
  }
  await file.close()
  await rm(home, { recursive: true })
  return median(times)
}

/** CPU ticks so far: all, and those that the hypervisor gave to somebody else. */
export function cpuTicks(): { total: number; steal: number } {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number)
  return { total: fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0), steal: fields[7] ?? 0 }
}

export const machine = () => ({
  node: process.version,
  cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  memoryGigabytes: Math.round(totalmem() / 2 ** 30),
})
