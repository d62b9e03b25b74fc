import { Command } from 'commander'
import { checkCommand } from './router/check.js'

export function routerCommand(): Command {
  const router = new Command('router').description('Look after the gateway, which sends calls to models.')
  router.addCommand(checkCommand())
  return router
}
