import { createHash } from 'node:crypto'
import type { Config, GuardSetting } from '../config/config.js'
import type { Orm } from '../db/orm.js'
import { ensureKeyFile, readKeyFile } from '../features/receipts/keys/key-file.js'
import { findLogOrigin } from '../features/transparency/feature.js'
import { readLogPolicy } from '../features/transparency/serve/read-policy.js'
import type { Logger } from '../platform/logger.js'
import { createNodeSigner } from '../platform/node-ed25519.js'
import { logGuardFile, logKeyFile } from './data-directory.js'

/** The key of the log, its name, and where its newest checkpoint is remembered apart from the database. */
export type LogSettings = {
  /** 32 bytes. */
  readonly seed: Uint8Array
  readonly origin: string
  readonly guard: GuardSetting
  /** Who is asked to cosign. */
  readonly policyFile: string | undefined
}

/** Null where there is no log: with a database of one's own and no key. */
export async function loadLogSettings(config: Config, orm: Orm, logger: Logger) {
  const key = await loadKey(config, orm, logger)
  if (key === null) return null
  const settings = settingsOf(config, key)
  const { policyFile, origin, seed } = settings
  return { ...settings, policy: policyFile === undefined ? null : await readLogPolicy(policyFile, origin, seed) }
}

async function loadKey(config: Config, orm: Orm, logger: Logger): Promise<string | null> {
  const { privateKey } = config.log
  if (privateKey !== undefined) return privateKey.reveal()
  if (!config.embedded) return null
  const path = logKeyFile(config.dataDir)
  const key = await ensureKeyFile(path, () => findLogOrigin(orm), explainLostLogKey)
  logger.info({ path }, 'the log is signed with the key generated into the data directory')
  return key
}

/** The same as the service would find it, and nothing is made; undefined where its first start makes the key. */
export async function findLogSettings(config: Config): Promise<LogSettings | undefined> {
  const key = config.log.privateKey?.reveal()
  if (key !== undefined) return settingsOf(config, key)
  const made = config.embedded ? await readKeyFile(logKeyFile(config.dataDir)) : undefined
  return made === undefined ? undefined : settingsOf(config, made)
}

function settingsOf({ dataDir, log }: Config, privateKey: string): LogSettings {
  const seed = new Uint8Array(Buffer.from(privateKey, 'base64url'))
  // A database of one's own has no default: without the setting the configuration is refused.
  const guard = log.guard ?? { kind: 'file', path: logGuardFile(dataDir) }
  const { policyFile } = log
  return { seed, guard, policyFile, origin: log.origin ?? defaultOrigin(createNodeSigner(seed).publicKey) }
}

/** A name for this log if the settings give none. */
function defaultOrigin(publicKey: Uint8Array): string {
  return `llmring.local/${createHash('sha256').update('origin ').update(publicKey).digest('hex').slice(0, 8)}`
}

function explainLostLogKey(path: string, origin: string): string {
  return `The key of the log '${origin}', which is in this database, is not there: ${path} is gone. Bring the file back from a backup, or set LLMRING_TLOG_PRIVATE_KEY_B64: no other key can sign for this log.`
}
