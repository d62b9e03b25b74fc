import { Command, Option } from 'commander'
import { type ProjectId, ROLES, type Role } from '../access/principal.js'
import { openResources } from '../compose/database.js'
import { createAnnounce } from '../db/messages.js'
import { createProjects, type ProjectsFeature } from '../features/projects/feature.js'
import { renderKey } from '../features/projects/render.js'
import { abortable } from '../platform/abortable.js'
import { commandLogger, prepareConfig, run } from './prepare.js'

type CreateOptions = { project?: string; name?: string; role: Role; json?: boolean }
type ListOptions = { project?: string; json?: boolean }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function keysCommand(): Command {
  const keys = new Command('keys').description('Make, list and revoke project keys. Works while the service runs.')
  keys
    .command('create')
    .description('Make a key. It is shown once. Without --project it gets a new project.')
    .option('--project <id>', 'the project that the key belongs to')
    .option('--name <name>', 'a name for the key (and for a new project)')
    .addOption(new Option('--role <role>', 'what the key may do').choices(ROLES).default('write'))
    .option('--json', 'print JSON')
    .action((options: CreateOptions) => run((signal) => withProjects(signal, (projects) => create(projects, options))))
  keys
    .command('list')
    .description('List keys, revoked ones included. The keys themselves are not stored and cannot be shown.')
    .option('--project <id>', 'only the keys of this project')
    .option('--json', 'print JSON')
    .action((options: ListOptions) => run((signal) => withProjects(signal, (projects) => list(projects, options))))
  keys
    .command('revoke')
    .description('Revoke a key: every instance refuses it within two seconds.')
    .argument('<key-id>', 'the id of the key, from `keys list`')
    .option('--json', 'print JSON')
    .action((keyId: string, options: { json?: boolean }) =>
      run((signal) => withProjects(signal, (projects) => revoke(projects, keyId, options))),
    )
  return keys
}

async function create(projects: ProjectsFeature, options: CreateOptions): Promise<void> {
  const name = options.name ?? null
  const projectId = options.project === undefined ? (await projects.verbs.create(name)).id : readId(options.project)
  const made = await projects.verbs.createKey({ projectId, name, role: options.role })
  if (options.json === true) return print(JSON.stringify({ ...renderKey(made), key: made.key }))
  print(`${made.key}\n\nKey ${made.id} of project ${made.projectId}, role ${made.role}. It is not shown again.`)
}

async function list(projects: ProjectsFeature, options: ListOptions): Promise<void> {
  const keys = await projects.listKeys(options.project === undefined ? undefined : readId(options.project))
  if (options.json === true) return print(JSON.stringify({ keys: keys.map(renderKey) }))
  if (keys.length === 0) return print('There are no keys.')
  for (const key of keys) {
    const state = key.revokedAt === null ? 'active' : `revoked ${key.revokedAt.toISOString()}`
    print(
      `${key.id}  project ${key.projectId}  ${key.prefix}…  ${key.role.padEnd(5)}  ${state}  ${key.name ?? ''}`.trimEnd(),
    )
  }
}

async function revoke(projects: ProjectsFeature, keyId: string, options: { json?: boolean }): Promise<void> {
  const revoked = await projects.revokeKey(undefined, readId(keyId))
  if (options.json === true) print(JSON.stringify({ revoked }))
  else if (revoked) print(`Key ${keyId} is revoked.`)
  if (!revoked) throw new Error(`There is no active key ${keyId}.`)
}

async function withProjects(signal: AbortSignal, work: (projects: ProjectsFeature) => Promise<void>): Promise<void> {
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
      mode: config.projects.mode,
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

function readId(text: string): ProjectId {
  if (!UUID.test(text)) throw new Error(`'${text}' is not an id; \`llmring-server keys list\` shows them.`)
  return text as ProjectId
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
