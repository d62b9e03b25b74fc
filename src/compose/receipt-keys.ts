import type { Config } from '../config/config.js'
import type { Orm } from '../db/orm.js'
import { findKnownKeyId } from '../features/receipts/feature.js'
import { ensureKeyFile, readKeyFile } from '../features/receipts/keys/key-file.js'
import type { KeySettings } from '../features/receipts/keys/signing-keys.js'
import type { Logger } from '../platform/logger.js'
import { previousReceiptsKeyFile, receiptsKeyFile } from './data-directory.js'

export type ReceiptSettings = { readonly config: KeySettings }

/** Which key signs receipts. */
export async function loadReceiptSettings(config: Config, orm: Orm, logger: Logger): Promise<ReceiptSettings> {
  return { config: await loadKeys(config, orm, logger) }
}

/** The keys as the service would find them, nothing is made here: `not-yet` where its first start makes one. */
export type FoundKeys = KeySettings | 'not-yet'

export async function findReceiptKeys(config: Config): Promise<FoundKeys> {
  const configured = configuredKeys(config)
  if (configured !== undefined) return configured
  const privateKey = await readKeyFile(receiptsKeyFile(config.dataDir))
  return privateKey === undefined ? 'not-yet' : madeKeys(config, privateKey)
}

/** Undefined where the service has to have made its key itself. */
function configuredKeys({ embedded, receipts }: Config): KeySettings | undefined {
  const { privateKey, publicKey, keyId, previousKey } = receipts
  const isConfigured = privateKey !== undefined || publicKey !== undefined || !embedded
  return isConfigured
    ? { privateKey: privateKey?.reveal(), publicKey, keyId, previousKey: previousKey?.reveal() }
    : undefined
}

/** The settings come before the file that a rotation leaves. */
async function madeKeys({ receipts, dataDir }: Config, privateKey: string): Promise<KeySettings> {
  const previousKey = receipts.previousKey?.reveal() ?? (await readKeyFile(previousReceiptsKeyFile(dataDir)))
  return { privateKey, publicKey: undefined, keyId: receipts.keyId, previousKey }
}

/** The configured keys; in embedded mode, if none is configured, one that is generated once into the data directory. */
async function loadKeys(config: Config, orm: Orm, logger: Logger): Promise<KeySettings> {
  const configured = configuredKeys(config)
  if (configured !== undefined) return configured
  const path = receiptsKeyFile(config.dataDir)
  const key = await ensureKeyFile(path, () => findKnownKeyId(orm))
  logger.info({ path }, 'receipts are signed with the key generated into the data directory')
  return madeKeys(config, key)
}
