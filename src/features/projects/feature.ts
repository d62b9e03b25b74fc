import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Announce } from '../../db/messages.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import { monotonicClock } from '../../platform/clock.js'
import { every } from '../../platform/every.js'
import type { Logger } from '../../platform/logger.js'
import type { RateLimit } from '../../platform/rate-limit.js'
import type { Reach } from '../../platform/reach.js'
import type { Feature } from '../contract.js'
import { type Authenticator, createAuthenticator } from './authenticate.js'
import { createKey } from './create-key.js'
import { createProject } from './create-project.js'
import { eraseProject, sweepBuried } from './erase-project.js'
import { exportProject } from './export-project.js'
import { createKeyHashing } from './key-text.js'
import { PROJECT_LIMITS } from './limits.js'
import { listProjects } from './list-projects.js'
import { createProvisionProject, type ProvisionProject } from './provision-project.js'
import { revokeKey } from './revoke-key.js'
import { mountProjects, type ProjectVerbs } from './routes.js'
import { type ChangedKeys, createProjectStore, type KeyPosition, type ProjectKey, type WatchedKeys } from './store.js'

export type ProjectsDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly announce: Announce
  /** How old our knowledge of what other instances committed may be, in milliseconds. */
  readonly ageMs: () => number
  readonly reach: Reach
  /** How long what was known stays known while the database is away, in seconds. */
  readonly staleSecondsMax: number
  readonly logger: Logger
  readonly mode: 'open' | 'closed'
  readonly adminKey: string | undefined
  readonly pepper: string | undefined
  readonly pepperPrevious: string | undefined
  readonly newProjects: RateLimit | undefined
  /** All that may hold something of a project, to be exported and erased. */
  readonly features: readonly Feature[]
}

export type ProjectsFeature = Feature & {
  readonly authenticate: Authenticator['authenticate']
  readonly recall: Authenticator['recall']
  readonly provision: ProvisionProject
  readonly verbs: ProjectVerbs
  /** A page of the keys of all projects: for the command line. */
  readonly listAllKeys: (after: KeyPosition | undefined, limit: number) => Promise<ProjectKey[]>
  readonly revokeKey: (id: ProjectId | undefined, keyId: string) => Promise<boolean>
  /** Of the keys of those who stay connected, the ones that do not hold any more, or have a project by now. */
  readonly findChangedKeys: (keys: WatchedKeys) => Promise<ChangedKeys>
}

export function createProjects(deps: ProjectsDeps): ProjectsFeature {
  const { transact, features } = deps
  const store = createProjectStore(deps)
  const hashing = createKeyHashing(deps.pepper, deps.pepperPrevious)
  const { authenticate, recall, forget, suspectAll } = createAuthenticator({
    findKey: store.findKey,
    hashing,
    mode: deps.mode,
    adminKey: deps.adminKey,
    ageMs: deps.ageMs,
    reach: deps.reach,
    staleMsMax: deps.staleSecondsMax * 1000,
    clock: monotonicClock,
  })
  const writing = { transact, store, hashing, forget }
  const erasing = { transact, store, forget, features }
  const verbs: ProjectVerbs = {
    create: (name) => createProject({ transact, store }, name),
    list: (input) => listProjects(store, input),
    find: store.findProject,
    erase: (id) => eraseProject(erasing, id),
    exportLines: (id) => exportProject({ store, features }, id),
    createKey: (input) => createKey(writing, input),
    listKeys: store.listKeys,
    revokeKey: (id, keyId) => revokeKey(writing, id, keyId),
  }
  const sweeping = every({
    name: 'sweep erased projects',
    run: () => sweepBuried(erasing),
    pauseMs: PROJECT_LIMITS.sweepPauseMs,
    logger: deps.logger,
  })
  return {
    name: 'projects',
    mount: (app, guards) => mountProjects(app, guards, verbs),
    authenticate,
    recall,
    provision: createProvisionProject({ ...writing, newProjects: deps.newProjects, clock: monotonicClock }),
    verbs,
    listAllKeys: store.listAllKeys,
    findChangedKeys: store.findChangedKeys,
    revokeKey: (id, keyId) => revokeKey(writing, id, keyId),
    // Not waited for: what an erasure left is deleted while requests are answered.
    start: () => void sweeping.start(),
    close: sweeping.stop,
    onMessage: { 'key-changed': ({ hash }) => forget(hash), 'all-keys-changed': () => forget() },
    onMissedMessages: suspectAll,
  }
}
