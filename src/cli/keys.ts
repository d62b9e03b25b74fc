import { Command, Option } from 'commander'
import { ROLE_MEANINGS, ROLES, type Role } from '../access/principal.js'
import type { ProjectsFeature } from '../features/projects/feature.js'
import { renderKey } from '../features/projects/render.js'
import { run } from './prepare.js'
import { listAllKeys, listAllProjects, print, readId, readName, withProjects } from './with-projects.js'

type CreateOptions = { project?: string; name?: string; role: Role; json?: boolean }
type ListOptions = { project?: string; json?: boolean }

const ROLE_HELP = `
Roles:
${ROLES.map((role) => `  ${role.padEnd(6)} ${ROLE_MEANINGS[role]}`).join('\n')}`

export function keysCommand(): Command {
  const keys = new Command('keys').description('Make, list and revoke project keys. Works while the service runs.')
  keys
    .command('create')
    .description('Make a key. It is shown once. Without --project it gets a new project.')
    .option('--project <id>', 'the project that the key belongs to')
    .option('--name <name>', 'a name for the key (and for a new project)')
    .addOption(new Option('--role <role>', 'what the key may do').choices(ROLES).default('write'))
    .option('--json', 'print JSON')
    .addHelpText('after', ROLE_HELP)
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
  const name = options.name === undefined ? null : readName(options.name)
  const projectId = options.project === undefined ? null : readId(options.project)
  const made = await projects.verbs.createKey({ projectId, name, role: options.role })
  if (options.json === true) return print(JSON.stringify({ ...renderKey(made), key: made.key }))
  print(made.key)
  // Beside the answer, so that `$(llmring-server keys create)` is the key and nothing else.
  process.stderr.write(`\nKey ${made.id} of project ${made.projectId}, role ${made.role}. It is not shown again.\n`)
}

async function list(projects: ProjectsFeature, options: ListOptions): Promise<void> {
  const keys = await (options.project === undefined
    ? listAllKeys(projects)
    : projects.verbs.listKeys(readId(options.project)))
  if (options.json === true) return print(JSON.stringify({ keys: keys.map(renderKey) }))
  if (keys.length === 0) return print('There are no keys.')
  const names = new Map((await listAllProjects(projects)).map(({ id, name }) => [id, name]))
  for (const key of keys) {
    const state = key.revokedAt === null ? 'active' : `revoked ${key.revokedAt.toISOString()}`
    const project = [key.projectId, names.get(key.projectId)].filter((part) => part != null).join(' ')
    print(`${key.id}  project ${project}  ${key.prefix}…  ${key.role.padEnd(5)}  ${state}  ${key.name ?? ''}`.trimEnd())
  }
}

async function revoke(projects: ProjectsFeature, keyId: string, options: { json?: boolean }): Promise<void> {
  const revoked = await projects.revokeKey(undefined, readId(keyId))
  if (options.json === true) print(JSON.stringify({ revoked }))
  else if (revoked) print(`Key ${keyId} is revoked.`)
  if (!revoked) throw new Error(`There is no active key ${keyId}.`)
}
