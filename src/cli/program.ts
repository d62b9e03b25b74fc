import { Command } from 'commander'
import { readVersion } from '../platform/version.js'

const EXIT_CODES = `
Settings come from LLMRING_… variables and from .env in the working directory; \`llmring-server config\` shows them.
Exit codes: 0 done, 1 failed, 75 the data directory is in use, 78 the configuration is wrong.`

/**
 * Every command, in the order in which the help lists them. Each is loaded only if it is asked for: `serve` needs ten
 * times the modules of the others, and loading them took 0.7 s of `verify`.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.js')).serveCommand(),
  migrate: async () => (await import('./migrate.js')).migrateCommand(),
  keys: async () => (await import('./keys.js')).keysCommand(),
  'signing-key': async () => (await import('./signing-key.js')).signingKeyCommand(),
  projects: async () => (await import('./projects.js')).projectsCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  config: async () => (await import('./config.js')).configCommand(),
  dump: async () => (await import('./dump.js')).dumpCommand(),
  restore: async () => (await import('./restore.js')).restoreCommand(),
  fsck: async () => (await import('./fsck.js')).fsckCommand(),
  log: async () => (await import('./log.js')).logCommand(),
  router: async () => (await import('./router.js')).routerCommand(),
  registry: async () => (await import('./registry.js')).registryCommand(),
  rollups: async () => (await import('./rollups.js')).rollupsCommand(),
  reprice: async () => (await import('./reprice.js')).repriceCommand(),
  lock: async () => (await import('./lock.js')).lockCommand(),
  bind: async () => (await import('./bind.js')).bindCommand(),
  unbind: async () => (await import('./unbind.js')).unbindCommand(),
  aliases: async () => (await import('./aliases.js')).aliasesCommand(),
  models: async () => (await import('./models.js')).modelsCommand(),
  verify: async () => (await import('./verify.js')).verifyCommand(),
  witness: async () => (await import('./witness.js')).witnessCommand(),
  monitor: async () => (await import('./monitor.js')).monitorCommand(),
}

/** The command line for these arguments: with the command that they name first, or with all of them for the help. */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('llmring-server')
    .description('Aliases, usage costs and verifiable receipts for programs that call LLMs.')
    .version(readVersion())
    .addHelpText('after', EXIT_CODES)
  for (const load of asked(args[0])) program.addCommand(await load())
  return showHelpAfterErrors(program)
}

function asked(name: string | undefined): readonly (() => Promise<Command>)[] {
  if (name === '--version' || name === '-V') return []
  const load = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  return load === undefined ? Object.values(COMMANDS) : [load]
}

/** Commands that were made apart inherit nothing from the program that they are added to. */
function showHelpAfterErrors(command: Command): Command {
  for (const child of command.commands) showHelpAfterErrors(child)
  return command.showHelpAfterError()
}
