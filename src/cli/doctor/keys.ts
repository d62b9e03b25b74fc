import { type FoundKeys, findReceiptKeys } from '../../compose/receipt-keys.js'
import type { Config } from '../../config/config.js'
import { loadSigningKey } from '../../features/receipts/keys/signing-keys.js'
import { type Check, type Finding, ok, warn } from './check.js'

/** Whether receipts can be issued, and with which key. A key pair that does not match is a `fail`. */
export function keysCheck(config: Config): Check {
  return { name: 'keys', look: async () => judgeKeys(config, await findReceiptKeys(config)) }
}

function judgeKeys(config: Config, settings: FoundKeys): Finding {
  const pepper = config.projects.pepper === undefined ? 'no key pepper' : 'key pepper configured'
  if (settings === 'not-yet') return ok(`the signing key is made when the service first starts; ${pepper}`)
  const key = loadSigningKey(settings)
  if (key === null) return warn(`receipts are not issued: no private key is configured; ${pepper}`)
  if (key.sign === null) return warn(`receipts are verified with key ${key.keyId} and not issued; ${pepper}`)
  return ok(`receipts are issued with key ${key.keyId}; ${pepper}`)
}
