import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { cloneDatabase } from './database.js'
import { eventually } from './eventually.js'
import { type RunningService, startService } from './service.js'

type UsageRowShown = {
  readonly id: string
  readonly provider: string
  readonly model: string
  readonly alias: string | null
  readonly profile: string | null
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cached_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly cache_write_5m_input_tokens: number
  readonly cache_write_1h_input_tokens: number
  readonly reasoning_tokens: number
  readonly latency_ms: number
  readonly cost_decimal: string
  readonly cost_status: string
  readonly metadata: {
    readonly requested_model: string | null
    readonly outcome: string
    readonly attempts: number
    readonly stream: boolean
    readonly estimated: boolean
  }
}

export type GatewayWorld = {
  readonly service: RunningService
  readonly url: string
  /** For another instance. */
  readonly databaseUrl: string
  readonly file: string
  /** A project of its own. */
  project(): GatewayProject
  close(): Promise<void>
}

export type GatewayProject = {
  readonly key: string
  /** fetch with the key. */
  post(path: string, json: unknown, init?: RequestInit): Promise<Response>
  /** The rows of the project, oldest first, once there are so many. */
  rows(count: number): Promise<UsageRowShown[]>
  bind(alias: string, models: readonly string[]): Promise<void>
}

/** The complete service with a gateway that is configured so. */
export async function startGateway(
  config: unknown,
  environment: Readonly<Record<string, string>> = {},
): Promise<GatewayWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-gateway-'))
  const file = join(directory, 'gateway.yaml')
  await writeFile(file, typeof config === 'string' ? config : stringify(config, { aliasDuplicateObjects: false }))
  const database = await cloneDatabase()
  const service = await startService({
    LLMRING_DATABASE_URL: database.url,
    LLMRING_ROUTER_CONFIG: file,
    ...environment,
  })
  return {
    service,
    url: service.url,
    databaseUrl: database.url,
    file,
    project: () => openProject(service),
    close: async () => {
      await service.close()
      await database.drop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function openProject(service: RunningService): GatewayProject {
  const key = `gateway-${randomUUID()}`
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }
  return {
    key,
    post: (path, json, init = {}) =>
      fetch(service.url + path, {
        ...{ method: 'POST', body: typeof json === 'string' ? json : JSON.stringify(json) },
        ...{ ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } },
      }),
    rows: (count) =>
      eventually(async () => {
        const answer = await fetch(`${service.url}/api/v1/logs?limit=500`, { headers })
        const rows = (await answer.json()) as UsageRowShown[]
        if (rows.length < count) throw new Error(`${rows.length} of ${count} rows are there`)
        return rows.reverse()
      }),
    bind: async (alias, models) => {
      const json = JSON.stringify({ alias, models })
      const answer = await fetch(`${service.url}/api/v1/aliases/bind`, { method: 'POST', body: json, headers })
      if (answer.status !== 200) throw new Error(`bind answered ${answer.status}: ${await answer.text()}`)
    },
  }
}

/** The data of the events of a stream that has ended, parsed; `[DONE]` as it is. */
export async function readData(response: Response): Promise<unknown[]> {
  const text = await response.text()
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => (data === '[DONE]' ? data : JSON.parse(data)))
}
