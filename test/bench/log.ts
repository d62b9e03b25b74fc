/** The transparency log: how soon a receipt is proved, how fast leaves are numbered, and what a large tree and its tiles cost. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  appendLeaves,
  emptyTree,
  makeConsistencyProof,
  makeInclusionProof,
  type ReadTiles,
  rootOfEdge,
  type Tile,
  verifyInclusion,
} from '../../src/core/tlog/index.js'
import { arrayText } from '../../src/db/array-text.js'
import { createClient, type Sql } from '../../src/db/client.js'
import { createTileStore } from '../../src/features/transparency/serve/tile-store.js'
import { createTiles } from '../../src/features/transparency/serve/tiles.js'
import { sha256 } from '../../src/platform/sha256.js'
import { CLAIMS, fromRatio, headers, type Result, SIGNING, type Stage } from './experiments.js'
import { compare, quantile } from './pairs.js'
import { type Served, startBare, startBuilt } from './processes.js'

const CONNECTIONS = 128
const LOADED_SECONDS = 15
const PROBES_AT_ONCE = 4
const PROOF_MS_MAX = 250
const ALONE_LEAVES = 100_000

const openSql = (url: string): Sql =>
  createClient({ url, schema: 'llmring', connectionsMax: 2, prepare: true, pooled: false, statementMsMax: 0 })

/** How long after the answer of issue its proof is served, while 128 connections issue; then leaves alone, numbered and signed. */
export async function proveLogged(stage: Stage): Promise<Result[]> {
  const url = await stage.newDatabase()
  const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-guard-'))
  // What the embedded mode and docker-compose have: each head is on disk before it is shown.
  const guard = { LLMRING_TLOG_GUARD: `file:${join(directory, 'guard')}` }
  const served = await startBuilt({ LLMRING_DATABASE_URL: url, ...SIGNING, ...guard })
  const sql = openSql(url)
  try {
    const [load] = stage.loads
    if (load === undefined) throw new Error('there is no load generator')
    const order = {
      ...{ url: `${served.url}/api/v1/receipts/issue`, method: 'POST' as const, headers, body: JSON.stringify(CLAIMS) },
      ...{ connections: CONNECTIONS, status: 200, expect: 'ed25519:' },
    }
    await load.run({ ...order, seconds: 2 })
    const end = performance.now() + LOADED_SECONDS * 1000
    const [loaded, ...probes] = await Promise.all([
      load.run({ ...order, seconds: LOADED_SECONDS }),
      ...Array.from({ length: PROBES_AT_ONCE }, () => probe(served, end)),
    ])
    if (loaded.wrong > 0) throw new Error(`${loaded.wrong} answers were wrong`)
    const milliseconds = probes.flat()
    const [p50, p99] = [quantile(milliseconds, 0.5), quantile(milliseconds, 0.99)]
    const alone = await sequenceAlone(sql)
    const times = alone / loaded.perSecond
    return [
      {
        ...{ name: `proof served after issue, ${CONNECTIONS} connections`, goal: `p99 <= ${PROOF_MS_MAX} ms` },
        ...{ holds: p99 <= PROOF_MS_MAX, measured: `${p99.toFixed(0)} ms (p50 ${p50.toFixed(0)})` },
        detail: { p50, p99, probes: milliseconds.length, issuedPerSecond: loaded.perSecond },
      },
      {
        ...{ name: 'sequencing alone, against issuing', goal: '>= 3', holds: times >= 3 },
        ...{ measured: times.toFixed(1), detail: { leavesPerSecond: alone, issuedPerSecond: loaded.perSecond } },
      },
    ]
  } finally {
    await sql.end()
    await served.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Issues one receipt after the other, and asks for the proof of each until it is there: the times between. */
async function probe({ url }: Served, end: number): Promise<number[]> {
  const milliseconds: number[] = []
  while (performance.now() < end) {
    const body = JSON.stringify(CLAIMS)
    const issued = await fetch(`${url}/api/v1/receipts/issue`, { method: 'POST', headers, body })
    const hash = createHash('sha256')
      .update(await issued.text())
      .digest('hex')
    const answered = performance.now()
    for (;;) {
      const proved = await fetch(`${url}/log/proof?hash=${hash}`)
      await proved.arrayBuffer()
      if (proved.ok) break
      await sleep(5)
    }
    milliseconds.push(performance.now() - answered)
  }
  return milliseconds
}

/** Leaves a second that are numbered, put into the tree, signed and published, while nobody issues. */
async function sequenceAlone(sql: Sql): Promise<number> {
  const sizeNow = async () => {
    const [row] = await sql<{ size: number }[]>`
      select max(size)::float8 as size from log_checkpoints`
    return row?.size ?? 0
  }
  for (let before = -1; before !== (await sizeNow()); await sleep(1_500)) before = await sizeNow()
  const before = await sizeNow()
  await sql`
    insert into log_pending (entry, pending_since)
    select sha256(int8send(n)), clock_timestamp() from generate_series(1, ${ALONE_LEAVES}::integer) as n`
  let first: { readonly size: number; readonly at: number } | undefined
  for (;;) {
    const size = await sizeNow()
    if (size > before) first ??= { size, at: performance.now() }
    if (size >= before + ALONE_LEAVES && first !== undefined) {
      return ((size - first.size) * 1_000) / (performance.now() - first.at)
    }
    await sleep(5)
  }
}

const BATCH_LEAVES = 65_536
const LEAVES = Number(process.env.BENCH_LEAVES ?? 10_000_000)
const PROOFS = 200
const HASH_BYTES = 32

/** Proofs out of a tree of 10 million leaves (`BENCH_LEAVES` sets another number), with no tile in memory. */
export async function proveInLargeTree(stage: Stage): Promise<Result[]> {
  const url = await stage.newDatabase()
  // The service makes the tables.
  await (await startBuilt({ LLMRING_DATABASE_URL: url, ...SIGNING })).stop()
  const sql = openSql(url)
  try {
    const root = await loadTree(sql)
    await sql`vacuum analyze log_tiles`
    const store = createTileStore(sql)
    let reads = 0
    /** A cache of its own for each proof, so that every level is read. */
    const readCold: ReadTiles = (tiles) => {
      reads += 1
      return createTiles(store).read(tiles)
    }
    const tree = { sha256, readTiles: readCold }
    const inclusion: number[] = []
    const consistency: number[] = []
    const cpuBefore = process.cpuUsage()
    for (let at = 0; at < PROOFS; at += 1) {
      const index = Math.floor(Math.random() * LEAVES)
      const [tile] = await store.read([{ level: 0, index: Math.floor(index / 256) }])
      const leaf = tile?.hashes.subarray((index % 256) * HASH_BYTES, ((index % 256) + 1) * HASH_BYTES)
      const begun = performance.now()
      const made = await makeInclusionProof(tree, index, LEAVES)
      inclusion.push(performance.now() - begun)
      const verdict =
        made.ok && leaf !== undefined
          ? verifyInclusion(sha256, { leaf, index, size: LEAVES, proof: made.proof, root })
          : { ok: false }
      if (!verdict.ok) throw new Error(`the proof of leaf ${index} does not hold`)
      const then = performance.now()
      const grown = await makeConsistencyProof(tree, index + 1, LEAVES)
      consistency.push(performance.now() - then)
      if (!grown.ok) throw new Error(`no consistency proof from ${index + 1}`)
    }
    const { user, system } = process.cpuUsage(cpuBefore)
    const cpuMs = (user + system) / 1_000 / (2 * PROOFS)
    const shown = (times: readonly number[]) => ({ p50: quantile(times, 0.5), p95: quantile(times, 0.95) })
    const detail = {
      inclusion: shown(inclusion),
      consistency: shown(consistency),
      reads: reads / (2 * PROOFS),
      leaves: LEAVES,
    }
    const plan = await explainRead(sql)
    return [
      {
        ...{
          name: `inclusion proof among ${LEAVES} leaves`,
          goal: 'p95 < 5 ms',
          holds: detail.inclusion.p95 < 5,
          detail,
        },
        measured: `${detail.inclusion.p95.toFixed(1)} ms (p50 ${detail.inclusion.p50.toFixed(1)}, consistency ${detail.consistency.p95.toFixed(1)}, CPU ${cpuMs.toFixed(1)})`,
      },
      {
        ...{ name: 'reads a proof', goal: '1, by index', holds: detail.reads === 1 && plan.isIndexed },
        ...{ measured: `${detail.reads}, ${plan.isIndexed ? 'by index' : 'a scan'}`, detail: plan },
      },
    ]
  } finally {
    await sql.end()
  }
}

/** Writes the tiles of a tree over random leaf hashes, and gives its root. */
async function loadTree(sql: Sql): Promise<Uint8Array> {
  let edge = emptyTree
  const begun = performance.now()
  while (edge.size < LEAVES) {
    const bytes = randomBytes(Math.min(BATCH_LEAVES, LEAVES - edge.size) * HASH_BYTES)
    const leaves = Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
      bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
    )
    const { tiles, edge: grown } = appendLeaves(sha256, edge, leaves)
    edge = grown
    await writeTiles(sql, tiles)
  }
  process.stderr.write(`  ${LEAVES} leaves loaded in ${((performance.now() - begun) / 1000).toFixed(0)} s\n`)
  return rootOfEdge(sha256, edge)
}

async function writeTiles(sql: Sql, tiles: readonly Tile[]): Promise<void> {
  await sql`
    insert into log_tiles (level, index, hashes)
    select level, index, decode(hashes, 'hex') from unnest(
      ${arrayText(tiles.map(({ level }) => level))}::text::smallint[],
      ${arrayText(tiles.map(({ index }) => index))}::text::bigint[],
      ${arrayText(tiles.map(({ hashes }) => Buffer.from(hashes).toString('hex')))}::text::text[]
    ) as input (level, index, hashes)
    on conflict (level, index) do update set hashes = excluded.hashes`
}

/** Whether the read of a proof's tiles goes by the primary key, and what it took. */
async function explainRead(sql: Sql): Promise<{ readonly isIndexed: boolean; readonly plan: string }> {
  const rows = await sql<{ 'QUERY PLAN': string }[]>`
    explain (analyze, buffers) select level, index, hashes from log_tiles where (level, index) in (
      select level, index from unnest('{0,1,1,2,2}'::smallint[], '{17,0,3,0,1}'::bigint[]) as wanted (level, index))`
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  return { isIndexed: plan.includes('log_tiles_pkey') && !plan.includes('Seq Scan'), plan }
}

/** A checkpoint and a full tile, against a server that answers the same bytes. */
export async function serveTiles(stage: Stage): Promise<Result[]> {
  const url = await stage.newDatabase()
  const served = await startBuilt({ LLMRING_DATABASE_URL: url, ...SIGNING })
  const sql = openSql(url)
  await sql`
    insert into log_pending (entry, pending_since)
    select sha256(int8send(n)), clock_timestamp() from generate_series(1, 300) as n`
  await sql.end()
  const results: Result[] = []
  for (const [name, path] of [
    ['checkpoint', '/log/checkpoint'],
    ['a full tile', '/log/tile/0/000'],
  ] as const) {
    const bytes = await bytesAt(served, path)
    const bare = await startBare('bytes', bytes.toString('base64'))
    const order = { method: 'GET' as const, headers: {}, path, expect: '' }
    const ratio = await compare(stage.loads, { served, order }, { served: bare, order })
    await bare.stop()
    results.push(fromRatio(`log, ${name}, ${bytes.length} bytes`, 0.6, ratio, {}))
  }
  await served.stop()
  return results
}

/** What is there, once it is there. */
async function bytesAt({ url }: Served, path: string): Promise<Buffer> {
  for (;;) {
    const size = Number((await (await fetch(`${url}/log/checkpoint`)).text()).split('\n')[1])
    const response = await fetch(url + path)
    const bytes = Buffer.from(await response.arrayBuffer())
    if (response.ok && size >= 256) return bytes
    await sleep(50)
  }
}
