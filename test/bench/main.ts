import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createClient } from '../../src/db/client.js'
import { openEmbedded } from '../../src/db/embedded/open-embedded.js'
import { answerAgain } from './cached.js'
import { contendForAliases, pushLockfile, writeAliases } from './changes.js'
import { coldStart } from './cold-start.js'
import {
  bulkUpsert,
  issueStored,
  logEvents,
  type Result,
  refuseKey,
  registryUnchanged,
  resolveWarm,
  type Stage,
  verifyReceipt,
} from './experiments.js'
import { exportRows } from './export.js'
import { callThroughGateway } from './gateway.js'
import { logBesideInserts, writeBatches } from './ingest.js'
import { judgeLabels, LABELS } from './labels.js'
import { lists } from './lists.js'
import { proveInLargeTree, proveLogged, serveTiles } from './log.js'
import { cpuTicks, fdatasyncMs, machine } from './machine.js'
import { startLoad } from './processes.js'
import { stats } from './stats.js'
import { readDelta, tellCrowd, tellWatchers } from './watchers.js'

const RESULTS = fileURLToPath(new URL('../../.bench/', import.meta.url))
const { values, positionals: wanted } = parseArgs({
  options: { help: { type: 'boolean' }, labels: { type: 'string' } },
  allowPositionals: true,
})
const labels = values.labels ?? LABELS
const EXPERIMENTS: Record<string, (stage: Stage) => Promise<Result | Result[]>> = {
  resolve: async (stage) => [await resolveWarm(stage, 'as shipped'), await resolveWarm(stage, 'every request')],
  refuse: refuseKey,
  registry: registryUnchanged,
  lists,
  log: logEvents,
  bulk: async (stage) => [await bulkUpsert(stage), ...(await writeBatches(stage)), await logBesideInserts(stage)],
  issue: issueStored,
  verify: verifyReceipt,
  'log-proof': proveLogged,
  tree: proveInLargeTree,
  tiles: serveTiles,
  gateway: callThroughGateway,
  start: coldStart,
  watch: tellWatchers,
  crowd: tellCrowd,
  delta: readDelta,
  push: pushLockfile,
  writes: writeAliases,
  rivals: contendForAliases,
  labels: () => judgeLabels(labels),
  cached: answerAgain,
  stats,
  export: exportRows,
}

const HELP = `npm run bench [-- name …]   measures the built program against baselines of the same run
names: ${Object.keys(EXPERIMENTS).join(', ')} (default: all). The log of 'tree' has 10 million
leaves, or as many as BENCH_LEAVES says. Results go to .bench/results.json.
--labels FOLDER   prompts.jsonl and pairs.jsonl of 'labels', instead of those in test/bench/labels.
What is in its folder held-out was written by another hand, and measured only once the code stood: keep it so.\n`

if (values.help || wanted.some((name) => !(name in EXPERIMENTS))) {
  process.stdout.write(HELP)
  process.exit(values.help ? 0 : 1)
}

const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-'))
const postgres = await openEmbedded({ dataDir: directory, mode: 'own', log: () => undefined })
const admin = createClient({ url: postgres.url, schema: 'public', connectionsMax: 1, prepare: false, pooled: true })
let databases = 0
const stage: Stage = {
  loads: [startLoad(), startLoad()],
  newDatabase: async () => {
    const name = `bench_${databases++}`
    await admin.unsafe(`create database ${name}`)
    const url = new URL(postgres.url)
    url.pathname = `/${name}`
    return url.href
  },
}
try {
  const before = cpuTicks()
  const about = { ...machine(), fdatasyncMs: await fdatasyncMs(directory) }
  const results: Result[] = []
  for (const name of wanted.length === 0 ? Object.keys(EXPERIMENTS) : wanted) {
    process.stderr.write(`${name} …\n`)
    results.push(...[await EXPERIMENTS[name]?.(stage)].flat().filter((result) => result !== undefined))
  }
  const after = cpuTicks()
  const stealPercent = (100 * (after.steal - before.steal)) / (after.total - before.total)
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'results.json'), `${JSON.stringify({ ...about, stealPercent, results }, null, 2)}\n`)
  process.stdout.write(renderTable(results))
  process.stdout.write(
    `\n${about.cpus}, Node ${about.node}, fdatasync ${about.fdatasyncMs.toFixed(2)} ms, steal ${stealPercent.toFixed(1)} %, defaults as shipped\n`,
  )
} finally {
  await Promise.all(stage.loads.map((load) => load.stop()))
  await admin.end()
  await postgres.close()
  await rm(postgres.dataDir, { recursive: true, force: true })
  await rm(directory, { recursive: true, force: true })
}

function renderTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { least, most, perSecond, baselinePerSecond, cpuMicroseconds, baselineCpuMicroseconds, ...load } =
      result.detail as Record<string, number | undefined>
    const spread = least === undefined || most === undefined ? '' : `${least.toFixed(2)}-${most.toFixed(2)}`
    const speed = perSecond === undefined ? '' : `${Math.round(perSecond)}/s : ${Math.round(baselinePerSecond ?? 0)}/s`
    const cpu =
      cpuMicroseconds === undefined
        ? ''
        : `${Math.round(cpuMicroseconds)} : ${Math.round(baselineCpuMicroseconds ?? 0)}`
    const generator =
      load['generatorCpu'] === undefined ? '' : `${load['generators']} at ${percent(load['generatorCpu'])}`
    return [result.name, result.goal, result.measured, result.holds ? 'holds' : 'MISSED', spread, speed, cpu, generator]
  })
  const head = ['what', 'goal', 'measured', '', 'min-max', 'throughput : baseline', 'CPU us a request', 'generators']
  const table = [head, ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  return table
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}
