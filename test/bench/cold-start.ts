import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from './experiments.js'
import { median } from './pairs.js'
import { startBuilt } from './processes.js'

const STARTS = 7

/** From the process's start to its first good answer of `/readyz`, with embedded data present and Postgres stopped. */
export async function coldStart(): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-start-'))
  const environment = { LLMRING_DATA_DIR: directory, LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/' }
  await (await startBuilt(environment)).stop()
  const milliseconds: number[] = []
  for (let index = 0; index < STARTS; index++) {
    const served = await startBuilt(environment)
    milliseconds.push(served.startMs)
    await served.stop()
  }
  await rm(directory, { recursive: true, force: true })
  const typical = median(milliseconds)
  const detail = { median: typical, milliseconds }
  return {
    name: 'cold start, embedded data present',
    goal: '< 1500 ms',
    holds: typical < 1_500,
    measured: `${Math.round(typical)} ms`,
    detail,
  }
}
