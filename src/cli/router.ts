import { Command } from 'commander'
import { benchPartCommand } from './router/bench/part.js'
import { benchCommand } from './router/bench.js'
import { catalogCommand } from './router/catalog.js'
import { checkCommand } from './router/check.js'

export function routerCommand(): Command {
  const router = new Command('router').description('Look after the gateway, which sends calls to models.')
  router.addCommand(checkCommand())
  router.addCommand(benchCommand())
  router.addCommand(catalogCommand())
  router.addCommand(benchPartCommand(), { hidden: true })
  return router
}
