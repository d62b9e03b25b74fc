import type { ProjectId } from '../access/principal.js'
import { openResources } from '../compose/database.js'
import { createAnnounce } from '../db/messages.js'
import { createProjects, type ProjectsFeature } from '../features/projects/feature.js'
import type { ProjectPage } from '../features/projects/list-projects.js'
import { isName, NAME_RULE } from '../features/projects/name.js'
import { abortable } from '../platform/abortable.js'
import { ALWAYS_REACHED } from '../platform/reach.js'
import { CLI_LIMITS } from './limits.js'
import { commandLogger, prepareConfig } from './prepare.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

type Keys = Awaited<ReturnType<ProjectsFeature['listAllKeys']>>

/** Opens the database for a command about projects, and closes it behind that. */
export async function withProjects(
  signal: AbortSignal,
  work: (projects: ProjectsFeature) => Promise<void>,
): Promise<void> {
  const config = prepareConfig()
  const logger = commandLogger(config)
  const { database, transact, lifecycle } = await openResources(config, logger, 'borrow', signal)
  try {
    const projects = createProjects({
      ...database,
      transact,
      logger,
      announce: createAnnounce(config.database.schema),
      ageMs: () => 0,
      reach: ALWAYS_REACHED,
      staleSecondsMax: 0,
      mode: config.projects.mode,
      adminKey: undefined,
      pepper: config.projects.pepper?.reveal(),
      pepperPrevious: config.projects.pepperPrevious?.reveal(),
      newProjects: undefined,
      features: [],
    })
    await abortable(work(projects), signal)
  } finally {
    await lifecycle.close()
  }
}

/** Every project, oldest first. */
export async function listAllProjects({ verbs }: ProjectsFeature): Promise<ProjectPage['projects'][number][]> {
  const found: ProjectPage['projects'][number][] = []
  let after: string | undefined
  for (let page = 0; page < CLI_LIMITS.pagesMax; page += 1) {
    const { projects, next } = await verbs.list({ limit: CLI_LIMITS.pageRows, after })
    found.push(...projects)
    if (next === null) break
    after = next
  }
  return found
}

/** Every key, by project, oldest first. */
export async function listAllKeys(projects: ProjectsFeature): Promise<Keys> {
  const found: Keys = []
  for (let page = 0; page < CLI_LIMITS.pagesMax; page += 1) {
    const keys = await projects.listAllKeys(found.at(-1), CLI_LIMITS.pageRows)
    found.push(...keys)
    if (keys.length < CLI_LIMITS.pageRows) break
  }
  return found
}

export function readId(text: string): ProjectId {
  if (!UUID.test(text)) throw new Error(`'${text}' is not an id; \`llmring-server keys list\` shows them.`)
  return text as ProjectId
}

export function readName(text: string): string {
  if (!isName(text)) throw new Error(`--name ${NAME_RULE}.`)
  return text
}

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
