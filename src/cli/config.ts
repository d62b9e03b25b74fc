import { Command } from 'commander'
import { findLogSettings } from '../compose/log-settings.js'
import { findReceiptKeys } from '../compose/receipt-keys.js'
import type { Config, GuardSetting } from '../config/config.js'
import { type Derived, listSettings, type Setting } from '../config/settings.js'
import { loadSigningKey } from '../features/receipts/keys/signing-keys.js'
import { prepareConfig, run } from './prepare.js'

export function configCommand(): Command {
  return new Command('config')
    .description('Print every setting as it is in force and where it comes from, secrets hidden.')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      run(async () => {
        const settings = listSettings(await deriveSettings(prepareConfig()))
        const text = options.json === true ? `${JSON.stringify({ settings }, null, 2)}\n` : renderSettings(settings)
        process.stdout.write(text)
      }),
    )
}

/** What the service would work out for settings that are not set. */
async function deriveSettings(config: Config): Promise<Derived> {
  const { listen, database } = config
  const keys = await findReceiptKeys(config)
  const key = keys === 'not-yet' ? null : loadSigningKey(keys)
  const log = await findLogSettings(config)
  return new Map([
    ['LLMRING_HOST', listen.host],
    ...entry('LLMRING_DATABASE_DIRECT_URL', database.directUrl?.reveal()),
    ...entry(
      'LLMRING_RECEIPTS_PUBLIC_KEY_B64',
      key === null ? undefined : Buffer.from(key.publicKey.bytes).toString('base64url'),
    ),
    ...entry('LLMRING_RECEIPTS_KEY_ID', key?.keyId),
    ...entry('LLMRING_TLOG_ORIGIN', log?.origin),
    ...entry('LLMRING_TLOG_GUARD', log === undefined ? undefined : guardText(log.guard)),
  ])
}

const guardText = (guard: GuardSetting): string => (guard.kind === 'file' ? `file:${guard.path}` : guard.kind)

const entry = (name: string, value: string | undefined): [string, string][] =>
  value === undefined ? [] : [[name, value]]

/** `LLMRING_PORT=8000  (default)`, one setting a line. */
function renderSettings(settings: readonly Setting[]): string {
  const lines = settings.map(({ name, value, source }) => ({ text: `${name}=${value ?? ''}`, source }))
  const width = Math.min(64, Math.max(...lines.map(({ text }) => text.length)))
  return lines.map(({ text, source }) => `${text.padEnd(width)}  (${source})\n`).join('')
}
