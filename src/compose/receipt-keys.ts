import { createHash } from 'node:crypto'
import type { Config } from '../config/config.js'
import type { Orm } from '../db/orm.js'
import { findKnownKeyId } from '../features/receipts/feature.js'
import { ensureKeyFile } from '../features/receipts/key-file.js'
import type { KeySettings } from '../features/receipts/signing-keys.js'
import type { Logger } from '../platform/logger.js'
import { receiptsKeyFile } from './data-directory.js'

export type ReceiptSettings = { readonly config: KeySettings; readonly issuer: string }

/** Which key signs receipts, and in whose name. */
export async function loadReceiptSettings(config: Config, orm: Orm, logger: Logger): Promise<ReceiptSettings> {
  const keys = await loadKeys(config, orm, logger)
  return { config: keys, issuer: config.receipts.issuer ?? defaultIssuer(keys) }
}

/** The configured keys; in embedded mode, if none is configured, one that is generated once into the data directory. */
async function loadKeys(config: Config, orm: Orm, logger: Logger): Promise<KeySettings> {
  const { privateKey, publicKey, keyId } = config.receipts
  if (privateKey !== undefined || publicKey !== undefined || !config.embedded) {
    return { privateKey: privateKey?.reveal(), publicKey, keyId }
  }
  const path = receiptsKeyFile(config.dataDir)
  const key = await ensureKeyFile(path, () => findKnownKeyId(orm))
  logger.info({ path }, 'receipts are signed with the key generated into the data directory')
  return { privateKey: key, publicKey: undefined, keyId }
}

/** A name for this installation if the settings give none. */
function defaultIssuer(keys: KeySettings): string {
  const seed = keys.publicKey ?? keys.privateKey ?? ''
  return `llmring.local/${createHash('sha256').update(`issuer ${seed}`).digest('hex').slice(0, 8)}`
}
