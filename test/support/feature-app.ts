import { NO_PROJECT, type Principal, type ProjectId, type Role } from '../../src/access/principal.js'
import { classifyFailure } from '../../src/db/failure.js'
import { createApp } from '../../src/http/create-app.js'
import type { App, Guards } from '../../src/http/endpoint.js'
import { createBodyLimits } from '../../src/http/read-bytes.js'
import { AppError } from '../../src/platform/errors.js'
import { createLogger } from '../../src/platform/logger.js'

export type FeatureAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
}
export type FeatureCall = {
  readonly method?: string
  /** Whose key it is; null sends none. */
  readonly project?: ProjectId | null
  readonly role?: Role
  readonly json?: unknown
  readonly body?: string
}

export type FeatureApp = { readonly app: App; call(path: string, init?: FeatureCall): Promise<FeatureAnswer> }

const BODY_BYTES_MAX = 1_048_576

/** An app with the routes of a few features, whose keys are project ids: authentication is another feature's. */
export function createFeatureApp(features: readonly { mount(app: App, guards: Guards): void }[]): FeatureApp {
  const app = createApp({ logger: createLogger('silent'), explain })
  for (const feature of features) feature.mount(app, testGuards)
  return {
    app,
    call: async (path, init = {}) => {
      const { method = init.json === undefined && init.body === undefined ? 'GET' : 'POST', role = 'write' } = init
      const body = init.json === undefined ? init.body : JSON.stringify(init.json)
      const project = init.project ?? null
      const headers = {
        'Content-Type': 'application/json',
        ...(project === null ? {} : { 'X-Project-Key': project, 'X-Test-Role': role }),
      }
      const answer = await app.request(path, { method, headers, ...(body === undefined ? {} : { body }) })
      const text = await answer.text()
      const isJson = /json/.test(answer.headers.get('content-type') ?? '')
      return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined }
    },
  }
}

const testGuards: Guards = {
  body: createBodyLimits(BODY_BYTES_MAX),
  lane: { add: () => undefined },
  direct: { add: () => undefined },
  provision: (principal) => principal,
  admit: (header, access): Principal => {
    const role = (header('x-test-role') ?? 'read') as Role
    const project = (header('x-project-key') ?? NO_PROJECT) as ProjectId
    const principal = { projectId: project, role, keyId: 'test', newKey: null }
    if (access.kind !== 'project') return principal
    if (project === NO_PROJECT) throw new AppError('key-required', 'Send the project key.')
    if (!access.roles.includes(role)) throw new AppError('role-not-allowed', `A '${role}' key may not do this.`)
    return principal
  },
}

function explain(error: unknown): AppError | undefined {
  if (classifyFailure(error) !== 'unavailable') return undefined
  return new AppError('database-unavailable', 'The database does not answer right now.', { cause: error })
}
