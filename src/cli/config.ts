import { Command } from 'commander'
import { listSettings, type Setting } from '../config/settings.js'
import { prepareConfig, run } from './prepare.js'

export function configCommand(): Command {
  return new Command('config')
    .description('Print every setting as it is in force and where it comes from, secrets hidden.')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      run(async () => {
        prepareConfig()
        const settings = listSettings()
        const text = options.json === true ? `${JSON.stringify({ settings }, null, 2)}\n` : renderSettings(settings)
        process.stdout.write(text)
      }),
    )
}

/** `LLMRING_PORT=8000  (default)`, one setting a line. */
function renderSettings(settings: readonly Setting[]): string {
  const lines = settings.map(({ name, value, source }) => ({ text: `${name}=${value ?? ''}`, source }))
  const width = Math.min(64, Math.max(...lines.map(({ text }) => text.length)))
  return lines.map(({ text, source }) => `${text.padEnd(width)}  (${source})\n`).join('')
}
