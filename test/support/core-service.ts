import { type Database, openDatabase } from '../../src/db/client.js'
import { createAnnounce } from '../../src/db/messages.js'
import { createNotifications, type Notifications } from '../../src/db/notifications.js'
import { createTransact } from '../../src/db/transact.js'
import { createAliases } from '../../src/features/aliases/feature.js'
import { createProjects, type ProjectsFeature } from '../../src/features/projects/feature.js'
import { createApp } from '../../src/http/create-app.js'
import type { App } from '../../src/http/endpoint.js'
import { createGuards } from '../../src/http/guards.js'
import { systemClock } from '../../src/platform/clock.js'
import { createLogger } from '../../src/platform/logger.js'

export type Instance = {
  readonly app: App
  readonly database: Database
  readonly notifications: Notifications
  readonly projects: ProjectsFeature
  call(
    method: string,
    path: string,
    init?: { key?: string; json?: unknown },
  ): Promise<{ status: number; json: unknown }>
  close(): Promise<void>
}

export type InstanceOptions = {
  readonly url: string
  /** The URL that the listener uses, where it is another one. */
  readonly listenerUrl?: string
  readonly mode?: 'open' | 'closed'
  readonly pepper?: string
  readonly pepperPrevious?: string
}

/** Projects and aliases on a real database: one instance of several on it. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const schema = 'llmring'
  const client = { url: options.url, schema, prepare: true, pooled: false }
  const database = await openDatabase({ ...client, connectionsMax: 8 })
  const logger = createLogger('silent')
  const transact = createTransact(database.sql)
  const notifications = createNotifications({ client: { ...client, url: options.listenerUrl ?? options.url }, logger })
  const announce = createAnnounce(schema)
  const common = { transact, announce, ageMs: notifications.ageMs, clock: systemClock, logger }
  const aliases = createAliases({ ...database, ...common })
  const projects = createProjects({
    ...{ ...database, ...common, mode: options.mode ?? 'open', newProjects: undefined },
    pepper: options.pepper,
    pepperPrevious: options.pepperPrevious,
    features: [aliases],
  })
  for (const feature of [aliases, projects]) notifications.subscribe(feature)
  const app = createApp({ logger, explain: () => undefined })
  const { authenticate, recall, provision } = projects
  const open = { perKey: undefined, perAddress: undefined, bodyBytesMax: 4_000_000 }
  const guards = createGuards({ authenticate, recall, provision, adminKey: 'operator-key-of-the-tests', ...open })
  aliases.mount(app, guards)
  projects.mount(app, guards)
  await notifications.start()
  return {
    ...{ app, database, notifications, projects },
    call: async (method, path, init = {}) => {
      const response = await app.request(path, {
        method,
        headers: { 'X-Project-Key': init.key ?? 'test-key', 'Content-Type': 'application/json' },
        ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
      })
      const text = await response.text()
      return { status: response.status, json: text.startsWith('{') || text.startsWith('[') ? safeJson(text) : text }
    },
    close: async () => {
      await notifications.close()
      await database.close()
    },
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
