import { Command } from 'commander'
import { readVersion } from '../platform/version.js'
import { aliasesCommand } from './aliases.js'
import { bindCommand } from './bind.js'
import { configCommand } from './config.js'
import { doctorCommand } from './doctor.js'
import { dumpCommand } from './dump.js'
import { fsckCommand } from './fsck.js'
import { keysCommand } from './keys.js'
import { lockCommand } from './lock.js'
import { logCommand } from './log.js'
import { migrateCommand } from './migrate.js'
import { modelsCommand } from './models.js'
import { monitorCommand } from './monitor.js'
import { projectsCommand } from './projects.js'
import { registryCommand } from './registry.js'
import { restoreCommand } from './restore.js'
import { rollupsCommand } from './rollups.js'
import { serveCommand } from './serve.js'
import { signingKeyCommand } from './signing-key.js'
import { unbindCommand } from './unbind.js'
import { verifyCommand } from './verify.js'
import { witnessCommand } from './witness.js'

const EXIT_CODES = `
Settings come from LLMRING_… variables and from .env in the working directory; \`llmring-server config\` shows them.
Exit codes: 0 done, 1 failed, 75 the data directory is in use, 78 the configuration is wrong.`

/** The command line. */
export function createProgram(): Command {
  const program = new Command('llmring-server')
    .description('Aliases, usage costs and verifiable receipts for programs that call LLMs.')
    .version(readVersion())
    .addHelpText('after', EXIT_CODES)
  for (const command of [
    serveCommand,
    migrateCommand,
    keysCommand,
    signingKeyCommand,
    projectsCommand,
    doctorCommand,
    configCommand,
    dumpCommand,
    restoreCommand,
    fsckCommand,
    logCommand,
    registryCommand,
    rollupsCommand,
    lockCommand,
    bindCommand,
    unbindCommand,
    aliasesCommand,
    modelsCommand,
    verifyCommand,
    witnessCommand,
    monitorCommand,
  ]) {
    program.addCommand(command())
  }
  return showHelpAfterErrors(program)
}

/** Commands that were made apart inherit nothing from the program that they are added to. */
function showHelpAfterErrors(command: Command): Command {
  for (const child of command.commands) showHelpAfterErrors(child)
  return command.showHelpAfterError()
}
