import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

/** What became of one request. `sent` is the id that it alone carries. */
export type Outcome = {
  readonly kind: Kind
  readonly project: string
  readonly sent: string
  /** 0: no answer at all, or none in time. */
  readonly status: number
  readonly retryAfter: string | null
  readonly text: string
}
export type MixedLoad = {
  readonly outcomes: readonly Outcome[]
  /** Answers that contradict what was answered before. */
  readonly lies: readonly string[]
  /** Requests that are still waiting. */
  readonly underWay: () => number
  /** Resolves once every kind of request was answered with 200 from now on. Rejects after `msMax`. */
  healed(msMax: number): Promise<void>
  stop(): Promise<void>
}

const KINDS = ['resolve', 'log', 'bind', 'bulk', 'unbind', 'issue', 'stats', 'list', 'settle'] as const
export type Kind = (typeof KINDS)[number]
type Request = { readonly method: string; readonly path: string; readonly json?: unknown; readonly project?: string }

/** Longer than any answer may take: the service's own deadline is 20 s. */
const ANSWER_MS_MAX = 22_000
const BULK_ITEMS = 4
/** Between the requests of a client: several are under way at any moment, and the processor is not all taken by asking. */
const PAUSE_MS = 10
/** A client with fewer bindings deletes none, so that it has one to resolve. */
const BOUND_MIN = 3
export const bulkNames = (sent: string): string[] =>
  Array.from({ length: BULK_ITEMS }, (_, index) => `${sent}-${index}`)

/** Clients that do everything a client does, each thing with an id of its own, until they are told to stop. */
export function startMixedLoad(url: string, projects: readonly string[], clients: number): MixedLoad {
  const outcomes: Outcome[] = []
  const lies: string[] = []
  let running = true
  let underWay = 0

  const send = async (kind: Kind, project: string, sent: string, request: Request): Promise<Outcome> => {
    underWay += 1
    const key = request.project ?? project
    const answered = await answer(url, key, request).finally(() => {
      underWay -= 1
    })
    const outcome = { kind, project: key, sent, ...answered }
    outcomes.push(outcome)
    return outcome
  }

  const client = async (project: string, first: number): Promise<void> => {
    /** What this client was told is bound, in a profile of its own each. */
    const bound: string[] = []
    for (let turn = first; running; turn++) {
      const kind = KINDS[turn % KINDS.length] as Kind
      const sent = idFor(kind, bound)
      if (sent === undefined) continue
      const outcome = await send(kind, project, sent, REQUESTS[kind](sent))
      if (kind === 'bind' && outcome.status === 200) bound.push(sent)
      lies.push(...lieIn(outcome))
      await sleep(PAUSE_MS)
    }
  }

  const lanes = Array.from({ length: clients }, (_, index) =>
    client(projects[index % projects.length] as string, index * 2),
  )
  return {
    outcomes,
    lies,
    underWay: () => underWay,
    healed: async (msMax) => {
      const from = outcomes.length
      const giveUpAt = performance.now() + msMax
      for (;;) {
        const fine = new Set(outcomes.slice(from).flatMap(({ kind, status }) => (status === 200 ? [kind] : [])))
        if (fine.size === KINDS.length) return
        const missing = KINDS.filter((kind) => !fine.has(kind))
        if (performance.now() > giveUpAt) throw new Error(`never answered again: ${missing.join(', ')}`)
        await sleep(20)
      }
    },
    stop: async () => {
      running = false
      await Promise.all(lanes)
    },
  }
}

const REQUESTS: Readonly<Record<Kind, (sent: string) => Request>> = {
  // A profile that nobody asked for before: it is not in memory.
  resolve: (sent) => ({ method: 'GET', path: `/api/v1/aliases/resolve?alias=${sent}&profile=${sent}` }),
  log: (sent) => ({
    method: 'POST',
    path: '/api/v1/log',
    json: {
      provider: 'openai',
      model: 'm',
      input_tokens: 1,
      output_tokens: 1,
      id_at_origin: sent,
      cost: 0.5,
      ...keyOf(sent),
    },
  }),
  bind: (sent) => ({
    method: 'POST',
    path: '/api/v1/aliases/bind',
    json: { alias: sent, profile: sent, model: `openai:${sent}` },
  }),
  bulk: (sent) => ({
    method: 'POST',
    path: '/api/v1/aliases/bulk_upsert',
    json: bulkNames(sent).map((alias) => ({ alias, model: 'openai:m' })),
  }),
  unbind: (sent) => ({ method: 'DELETE', path: `/api/v1/aliases/${sent}?profile=${sent}` }),
  issue: (sent) => ({
    method: 'POST',
    path: '/api/v1/receipts/issue',
    json: {
      ...{ id: sent, model: 'openai:m', alias: 'a', profile: 'default', lock_digest: 'none' },
      ...{ registry_version: 'openai@7', tokens: { input: 1, output: 2, cached_input: 0 } },
      cost: { amount: '0.5', calculation: 'by hand' },
    },
  }),
  stats: () => ({ method: 'GET', path: '/api/v1/stats' }),
  list: () => ({ method: 'GET', path: '/api/v1/logs?limit=5' }),
  // The first write with a key that is new here makes its project.
  settle: (sent) => ({ ...REQUESTS.log(sent), project: `key-${sent}` }),
}

/** Half of the events have an idempotency key. */
const keyOf = (sent: string) => (sent < '8' ? { idempotency_key: sent } : {})

/** Resolving and deleting are about what was bound before; everything else about something new. */
function idFor(kind: Kind, bound: string[]): string | undefined {
  if (kind === 'resolve') return bound.at(-1)
  if (kind === 'unbind') return bound.length < BOUND_MIN ? undefined : bound.shift()
  return randomUUID()
}

/** What this client alone bound and unbinds is not changed by any other one. */
function lieIn({ kind, sent, status, text }: Outcome): string[] {
  if (status !== 200) return []
  if (kind === 'resolve' && !text.includes(`"openai:${sent}"`)) return [`resolve ${sent}: ${text}`]
  if (kind === 'unbind' && !text.startsWith('{"deleted":true,')) return [`unbind ${sent}: ${text}`]
  return []
}

async function answer(url: string, key: string, { method, path, json }: Request) {
  try {
    const response = await fetch(url + path, {
      method,
      headers: { 'X-Project-Key': key, ...(json === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    })
    const text = await response.text()
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text }
  } catch (error) {
    return { status: 0, retryAfter: null, text: String(error) }
  }
}
