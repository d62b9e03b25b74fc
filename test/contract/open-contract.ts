import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Role } from '../../src/access/principal.js'
import { cloneDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { REGISTRY_FIXTURES, startRegistryOrigin } from '../support/registry-origin.js'
import { OPERATOR_KEY, type RunningService, startService, WAY_HEADER } from '../support/service.js'
import { type OpenApiDocument, type Operation, operationsOf } from './operations.js'

export const BODY_BYTES_MAX = 131_072
export const PEPPER = 'pepper-of-the-contract-suite'
export const SIGNING_KEY = Buffer.alloc(32, 7).toString('base64url')

export type TestProject = { readonly id: string; readonly key: string; readonly keyId: string }
export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body, or undefined where it is no JSON. */
  readonly json: unknown
}
export type RequestBody = NonNullable<RequestInit['body']>
export type Ask = {
  readonly method?: string
  /** The project's or the operator's key; null sends none. */
  readonly key?: string | null
  readonly json?: unknown
  readonly body?: RequestBody
  readonly headers?: Readonly<Record<string, string>>
}

export type Contract = {
  readonly url: string
  readonly databaseUrl: string
  readonly service: RunningService['service']
  readonly document: OpenApiDocument
  readonly operations: readonly Operation[]
  readonly laneAnswers: () => number
  readonly directAnswers: () => number
  /** A project of ours, and a stranger's. */
  readonly ours: TestProject
  readonly theirs: TestProject
  ask(path: string, init?: Ask): Promise<Answer>
  makeProject(): Promise<TestProject>
  makeKey(projectId: string, role: Role): Promise<{ readonly id: string; readonly key: string }>
  close(): Promise<void>
}

/**
 * Two instances on one database and one Redis have to keep the same contract: what one does (writes, revokes, remembers)
 * is seen through the other, since they take turns.
 */
export const openContractOfTwo = (environment: Readonly<Record<string, string>> = {}): Promise<Contract> =>
  openContract(environment, 2)

/** The complete service behind its listener, with a database and a registry of its own. */
export async function openContract(
  environment: Readonly<Record<string, string>> = {},
  instances = 1,
): Promise<Contract> {
  const [database, origin] = await Promise.all([cloneDatabase(), startRegistryOrigin(REGISTRY_FIXTURES)])
  const settings = {
    LLMRING_DATABASE_URL: database.url,
    LLMRING_REGISTRY_BASE_URL: origin.url,
    LLMRING_BODY_BYTES_MAX: String(BODY_BYTES_MAX),
    LLMRING_KEY_PEPPER: PEPPER,
    // The names of receivers are not looked up when they are set.
    LLMRING_WEBHOOK_PRIVATE: 'true',
    ...environment,
  }
  const gateway = await writeGateway()
  const service = await startService({ LLMRING_ROUTER_CONFIG: gateway.file, ...settings }, instances)
  const ask = (path: string, init?: Ask) => requestBothWays(service, path, init)
  const document = (await ask('/openapi.json')).json as OpenApiDocument
  const { verbs } = service.service.projects

  const makeKey: Contract['makeKey'] = (projectId, role) =>
    verbs.createKey({ projectId: projectId as Parameters<typeof verbs.createKey>[0]['projectId'], name: null, role })
  const makeProject = async (): Promise<TestProject> => {
    const { id } = await verbs.create(null)
    // The role that may do everything; roles.test.ts tries the others.
    const made = await makeKey(id, 'admin')
    return { id, key: made.key, keyId: made.id }
  }
  return {
    ...{
      url: service.url,
      databaseUrl: database.url,
      laneAnswers: service.laneAnswers,
      directAnswers: service.directAnswers,
      service: service.service,
      document,
      operations: operationsOf(document),
    },
    ...{ ours: await makeProject(), theirs: await makeProject() },
    ...{ ask, makeProject, makeKey },
    close: async () => {
      await service.close()
      await Promise.all([origin.close(), database.drop(), gateway.remove()])
    },
  }
}

/** The configuration of a gateway whose backend says what it is told. */
async function writeGateway() {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-contract-'))
  const file = join(directory, 'gateway.yaml')
  const server = `server: { body_bytes_max: ${BODY_BYTES_MAX} }`
  await writeFile(file, `providers: [{ name: echo, type: echo, model: parrot }]\n${server}\n`)
  return { file, remove: () => rm(directory, { recursive: true, force: true }) }
}

/**
 * What is only read is asked for both ways, past the warm lane and through it, and has to be answered alike. The metrics
 * count the question itself.
 */
async function requestBothWays(service: RunningService, path: string, init: Ask = {}): Promise<Answer> {
  const url = service.url + path
  const { method = init.json === undefined && init.body === undefined ? 'GET' : 'POST' } = init
  if (!['GET', 'HEAD'].includes(method) || new URL(url).pathname.startsWith('/metrics')) return request(url, init)
  // Tests run side by side: what one of them writes between the two requests is no difference of the ways, and if the lane
  // answered nothing meanwhile, both went the ordinary one.
  return eventually(async () => {
    const before = service.laneAnswers()
    const ordinary = await request(url, { ...init, headers: { ...init.headers, [WAY_HEADER]: 'ordinary' } })
    const answer = await request(url, init)
    if (service.laneAnswers() > before) expect(comparable(answer), url).toEqual(comparable(ordinary))
    return answer
  })
}

export function comparable({ status, headers, text }: Answer) {
  const shown = Object.fromEntries(headers)
  const requestId = shown['x-request-id'] ?? ''
  for (const name of ['date', 'x-request-id', 'age']) delete shown[name]
  return { status, headers: shown, text: requestId === '' ? text : text.replaceAll(requestId, 'ID') }
}

async function request(url: string, init: Ask = {}): Promise<Answer> {
  const { key = null, json, body = json === undefined ? undefined : JSON.stringify(json) } = init
  const { method = body === undefined ? 'GET' : 'POST' } = init
  const answer = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...init.headers,
    },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  })
  const text = await answer.text()
  const isJson = /^application\/([a-z.-]+\+)?json\b/.test(answer.headers.get('content-type') ?? '')
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}

/** The key with which an operation is asked for. */
export function keyFor({ access }: Operation, project: TestProject): string | null {
  if (access === 'public') return null
  return access === 'operator' ? OPERATOR_KEY : project.key
}
