import { Command } from 'commander'
import { bumpRegistryCommand } from './lock/bump-registry.js'
import { checkCommand } from './lock/check.js'
import { diffCommand } from './lock/diff.js'
import { initCommand } from './lock/init.js'
import { promoteCommand } from './lock/promote.js'
import { pullCommand } from './lock/pull.js'
import { pushCommand } from './lock/push.js'
import { rollbackCommand } from './lock/rollback.js'
import { validateCommand } from './lock/validate.js'
import { watchCommand } from './lock/watch.js'

const NOTES = `
A lockfile binds aliases to models and is kept under version control; the server gives what was pushed to every program.
init and validate work without a network. The others talk to the server at LLMRING_SERVER_URL, with the project key in
LLMRING_PROJECT_KEY (or LLMRING_API_KEY).`

export function lockCommand(): Command {
  const lock = new Command('lock').description('Make, check, publish and follow lockfiles.').addHelpText('after', NOTES)
  for (const command of [
    initCommand,
    validateCommand,
    pushCommand,
    pullCommand,
    diffCommand,
    watchCommand,
    checkCommand,
    bumpRegistryCommand,
    promoteCommand,
    rollbackCommand,
  ]) {
    lock.addCommand(command())
  }
  return lock
}
