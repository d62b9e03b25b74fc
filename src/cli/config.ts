import { Command } from 'commander'
import { prepareConfig, run } from './prepare.js'

export function configCommand(): Command {
  return new Command('config')
    .description('Print the effective configuration, secrets hidden.')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      run(async () => {
        const config = prepareConfig()
        if (options.json === true) process.stdout.write(`${JSON.stringify(config, null, 2)}\n`)
        else process.stdout.write(renderSettings(JSON.parse(JSON.stringify(config)), ''))
      }),
    )
}

/** One `group.name = value` a line. */
function renderSettings(value: unknown, path: string): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${path} = ${JSON.stringify(value)}\n`
  return Object.entries(value)
    .map(([name, member]) => renderSettings(member, path === '' ? name : `${path}.${name}`))
    .join('')
}
