import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { previousReceiptsKeyFile, receiptsKeyFile } from '../compose/data-directory.js'
import { openResources, type Resources } from '../compose/database.js'
import { findReceiptKeys } from '../compose/receipt-keys.js'
import type { Config } from '../config/config.js'
import { listSigningKeys } from '../features/receipts/feature.js'
import { rotateKeyFile } from '../features/receipts/keys/key-file.js'
import { loadSigningKey } from '../features/receipts/keys/signing-keys.js'
import { abortable } from '../platform/abortable.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import { commandLogger, prepareConfig, run } from './prepare.js'
import { print } from './with-projects.js'

const ROTATE_HELP = `
A new key is used from the next start of the service on. That start has the old key state the new one, in the log and
under /receipts/key-statements.ndjson, and is refused without the old key. The old key stays listed for ever, and its
receipts verify. Instances that still run with the old key go on meanwhile.`

export function signingKeyCommand(): Command {
  const command = new Command('signing-key').description('List and rotate the keys that sign receipts.')
  command
    .command('list')
    .description('List every key that signs, or has signed, newest first.')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => run((signal) => withDatabase(signal, (_, open) => list(open, options))))
  command
    .command('rotate')
    .description('Make a new key; where keys are configured, say what to set.')
    .addHelpText('after', ROTATE_HELP)
    .action(() => run((signal) => withDatabase(signal, rotate)))
  return command
}

async function withDatabase(
  signal: AbortSignal,
  work: (config: Config, resources: Resources) => Promise<void>,
): Promise<void> {
  const config = prepareConfig()
  const resources = await openResources(config, commandLogger(config), 'borrow', signal)
  try {
    await abortable(work(config, resources), signal)
  } finally {
    await resources.lifecycle.close()
  }
}

async function list({ database }: Resources, options: { json?: boolean }): Promise<void> {
  const keys = await listSigningKeys(database.orm)
  const shown = keys.map(({ keyId, publicKey, notBefore, notAfter }) => ({
    key_id: keyId,
    public_key: Buffer.from(publicKey).toString('base64url'),
    status: notAfter === null ? 'active' : 'retired',
    not_before: notBefore.toISOString(),
    not_after: notAfter?.toISOString() ?? null,
  }))
  if (options.json === true) return print(JSON.stringify({ keys: shown }))
  if (shown.length === 0) return print('No key has signed receipts in this database.')
  for (const { key_id, status, not_before, not_after } of shown) {
    print(`${status.padEnd(8)} ${not_before}  ${(not_after ?? '-').padEnd(24)}  ${key_id}`)
  }
}

async function rotate(config: Config, { database }: Resources): Promise<void> {
  const found = await findReceiptKeys(config)
  const key = found === 'not-yet' ? null : loadSigningKey(found)
  if (key?.sign == null) throw new ConfigurationError('There is no key that signs receipts yet, so none to rotate.')
  const listed = await listSigningKeys(database.orm)
  if (!listed.some(({ keyId }) => keyId === key.keyId)) {
    throw new ConfigurationError(`The key '${key.keyId}' has not signed here yet: start the service with it first.`)
  }
  const { privateKey, keyId } = config.receipts
  if (privateKey !== undefined) return print(settingsOf(keyId))
  const path = receiptsKeyFile(config.dataDir)
  await rotateKeyFile(path, previousReceiptsKeyFile(config.dataDir))
  print(`A new key is in ${path}, the old one beside it. Restart the service: it starts to sign with the new one.`)
}

/** What to set; the old key is the operator's to fill in: no secret that is in use is shown. */
function settingsOf(keyId: string | undefined): string {
  return [
    'Set these for the next start, then restart the service:',
    '',
    `LLMRING_RECEIPTS_PRIVATE_KEY_B64=${randomBytes(32).toString('base64url')}`,
    'LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64=<what LLMRING_RECEIPTS_PRIVATE_KEY_B64 is now>',
    ...(keyId === undefined ? [] : [`LLMRING_RECEIPTS_KEY_ID=<another id than '${keyId}'>`]),
    '',
    'Leave LLMRING_RECEIPTS_PUBLIC_KEY_B64 out, or set it to the new public key. The new key is shown this once.',
  ].join('\n')
}
