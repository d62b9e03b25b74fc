/** Those who change aliases: a lockfile that is pushed, many that bind, and many that would overwrite each other. */
import { tmpdir } from 'node:os'
import { type Delta, type EventReader, readEvents } from '../support/event-reader.js'
import { eventually } from '../support/eventually.js'
import { headers, post, type Result, type Stage } from './experiments.js'
import { fdatasyncMs } from './machine.js'
import { quantile } from './pairs.js'
import { cpuSeconds, type Served, startBuilt } from './processes.js'

const PUSHED = 1_000
const PUSHES = 40
const PUSH_MS_MAX = 150

/** A lockfile with 1,000 aliases, each of which is bound to another model by each push. */
export async function pushLockfile(stage: Stage): Promise<Result> {
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase() })
  const milliseconds: number[] = []
  const cpuBefore = cpuSeconds(served.pid)
  for (let push = 0; push < PUSHES; push++) {
    const bindings = Array.from({ length: PUSHED }, (_, at) => ({
      ...{ alias: `alias-${at}`, models: [`openai:model-${push}`, 'anthropic:claude-sonnet-4'] },
      constraints: { max_cost: 1.5 },
    }))
    const body = JSON.stringify({ profiles: { default: { name: 'default', bindings } } })
    const begun = performance.now()
    const response = await fetch(`${served.url}/api/v1/lockfile`, { method: 'PUT', headers, body })
    const { changed } = (await response.json()) as { changed?: boolean }
    milliseconds.push(performance.now() - begun)
    if (changed !== true) throw new Error(`a push was answered with ${response.status}`)
  }
  const cpuMs = ((cpuSeconds(served.pid) - cpuBefore) * 1_000) / PUSHES
  await served.stop()
  const [p50, p95] = [quantile(milliseconds, 0.5), quantile(milliseconds, 0.95)]
  return {
    ...{ name: `push of a lockfile with ${PUSHED} aliases`, goal: `p95 < ${PUSH_MS_MAX} ms`, holds: p95 < PUSH_MS_MAX },
    measured: `${p95.toFixed(0)} ms (p50 ${p50.toFixed(0)}, CPU ${cpuMs.toFixed(0)})`,
    detail: { p50, p95, cpuMs },
  }
}

const WRITE_SECONDS = 3

/** Binds, each of which changes something and commits alone, beside what the disk would let a lone writer commit. */
export async function writeAliases(stage: Stage): Promise<Result[]> {
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase() })
  const ceiling = 1_000 / (await fdatasyncMs(tmpdir()))
  const results: Result[] = []
  for (const [writers, projects] of [
    [1, 1],
    [32, 1],
    [32, 32],
  ] as const) {
    const cpuBefore = cpuSeconds(served.pid)
    const written = await bindFor(served, writers, projects)
    const cpuMs = ((cpuSeconds(served.pid) - cpuBefore) * 1_000) / written
    const perSecond = written / WRITE_SECONDS
    const measured = `${perSecond.toFixed(0)}/s (a lone fsync ${ceiling.toFixed(0)}/s, CPU ${cpuMs.toFixed(1)} ms each)`
    const name = `alias writes, ${writers} at a time, ${projects} project${projects === 1 ? '' : 's'}`
    results.push({
      name,
      goal: 'printed',
      holds: true,
      measured,
      detail: { writesPerSecond: perSecond, ceiling, cpuMs },
    })
  }
  await served.stop()
  return results
}

async function bindFor(served: Served, writers: number, projects: number): Promise<number> {
  const end = performance.now() + WRITE_SECONDS * 1_000
  let written = 0
  const write = async (writer: number): Promise<void> => {
    const own = { ...headers, 'X-Project-Key': `bench-writes-${writers}-${writer % projects}` }
    while (performance.now() < end) {
      const body = JSON.stringify({ alias: `alias-${writer}`, model: `openai:model-${written}` })
      const response = await fetch(`${served.url}/api/v1/aliases/bind`, { method: 'POST', headers: own, body })
      if (!response.ok) throw new Error(await response.text())
      await response.arrayBuffer()
      written += 1
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return written
}

const RIVALS = 32
const CONTENDED = 8
const CONTEND_SECONDS = 10
const FOLLOWERS = 4

type Tally = { readonly revisions: number[]; readonly perAlias: number[]; refused: number }

/**
 * Writers who read an alias, count it up by one and write it with `If-Match`, on two instances: what an alias says in the
 * end is how often it was written, no revision is missing, and every follower has what the table has.
 */
export async function contendForAliases(stage: Stage): Promise<Result> {
  const environment = { LLMRING_DATABASE_URL: await stage.newDatabase() }
  const [one, two] = [await startBuilt(environment), await startBuilt(environment)]
  const both = [one, two] as const
  const items = Array.from({ length: CONTENDED }, (_, at) => ({ alias: `alias-${at}`, model: 'count:0' }))
  await post(one, '/api/v1/aliases/bulk_upsert', items)
  const readers = await Promise.all(
    Array.from({ length: FOLLOWERS }, (_, at) => readEvents(`${instance(both, at).url}/api/v1/sync`, headers)),
  )
  const tally: Tally = { revisions: [], perAlias: items.map(() => 0), refused: 0 }
  const end = performance.now() + CONTEND_SECONDS * 1_000
  await Promise.all(
    Array.from({ length: RIVALS }, (_, at) =>
      countUp(instance(both, at), at % CONTENDED, tally, () => performance.now() < end),
    ),
  )
  const listed = (await (await fetch(`${two.url}/api/v1/aliases/`, { headers })).json()) as Listed[]
  const table = listed.map(({ alias, model }) => `${alias}=${model}`)
  const last = Math.max(...tally.revisions)
  await Promise.all(readers.map((reader) => hasHeard(reader, last)))
  const lost = items.filter(({ alias }, at) => !table.includes(`${alias}=count:${tally.perAlias[at]}`)).length
  const missing = last - 1 - new Set(tally.revisions).size
  const wrong = readers.filter((reader) => replicaOf(reader.events).join() !== table.join()).length
  for (const reader of readers) reader.close()
  await Promise.all([one.stop(), two.stop()])
  const written = tally.revisions.length
  return {
    ...{
      name: `${RIVALS} writers with If-Match, ${CONTENDED} aliases, 2 instances`,
      goal: '0 lost, 0 missing, 0 wrong',
    },
    holds: lost + missing + wrong === 0 && written > 0,
    measured: `${written} written, ${tally.refused} refused: ${lost} lost, ${missing} revisions missing, ${wrong} of ${FOLLOWERS} followers wrong`,
    detail: { written, refused: tally.refused, lost, missing, wrong },
  }
}

type Listed = { readonly alias: string; readonly model: string }
const instance = (both: readonly [Served, Served], at: number): Served => (at % 2 === 0 ? both[0] : both[1])

async function countUp({ url }: Served, at: number, tally: Tally, goesOn: () => boolean): Promise<void> {
  const address = `${url}/api/v1/aliases/alias-${at}`
  while (goesOn()) {
    const read = await fetch(address, { headers })
    const count = Number(((await read.json()) as Listed).model.slice('count:'.length))
    const condition = { 'If-Match': read.headers.get('etag') ?? '' }
    const body = JSON.stringify({ model: `count:${count + 1}` })
    const written = await fetch(address, { method: 'PUT', headers: { ...headers, ...condition }, body })
    const { revision } = (await written.json()) as { revision: number }
    if (written.status === 200) {
      tally.revisions.push(revision)
      tally.perAlias[at] = (tally.perAlias[at] ?? 0) + 1
    } else if (written.status === 412) tally.refused += 1
    else throw new Error(`a write was answered with ${written.status}`)
  }
}

const hasHeard = ({ events }: EventReader, revision: number): Promise<unknown> =>
  eventually(() => {
    if ((events.at(-1)?.data.revision ?? 0) < revision) throw new Error('a follower did not hear of all')
    return true
  })

function replicaOf(events: readonly { readonly data: Delta }[]): readonly string[] {
  const models = new Map<string, string | undefined>()
  for (const { data } of events) for (const { alias, models: bound } of data.changes) models.set(alias, bound[0])
  return [...models].map(([alias, model]) => `${alias}=${model}`).sort()
}
