import { receiptsKeyFile } from '../../compose/data-directory.js'
import type { Config } from '../../config/config.js'
import { readKeyFile } from '../../features/receipts/key-file.js'
import { type KeySettings, loadSigningKey } from '../../features/receipts/signing-keys.js'
import { type Check, type Finding, ok, warn } from './check.js'

/** Whether receipts can be issued, and with which key. A key pair that does not match is a `fail`. */
export function keysCheck(config: Config): Check {
  return { name: 'keys', look: async () => judgeKeys(config, await keySettings(config)) }
}

function judgeKeys(config: Config, settings: KeySettings | 'not-yet'): Finding {
  const pepper = config.projects.pepper === undefined ? 'no key pepper' : 'key pepper configured'
  if (settings === 'not-yet') return ok(`the signing key is made when the service first starts; ${pepper}`)
  const key = loadSigningKey(settings)
  if (key === null) return warn(`receipts are not issued: no private key is configured; ${pepper}`)
  if (key.sign === null) return warn(`receipts are verified with key ${key.keyId} and not issued; ${pepper}`)
  return ok(`receipts are issued with key ${key.keyId}; ${pepper}`)
}

/** As the service would find them, but nothing is made here. */
async function keySettings(config: Config): Promise<KeySettings | 'not-yet'> {
  const { privateKey, publicKey, keyId } = config.receipts
  if (privateKey !== undefined || publicKey !== undefined || !config.embedded) {
    return { privateKey: privateKey?.reveal(), publicKey, keyId }
  }
  const key = await readKeyFile(receiptsKeyFile(config.dataDir))
  return key === undefined ? 'not-yet' : { privateKey: key, publicKey, keyId }
}
