import type { Config } from '../config/config.js'
import type { WebhooksDeps } from '../features/webhooks/feature.js'
import type { ReceiptSettings } from './receipt-keys.js'

/**
 * Where webhooks may lead, and what their secrets are encrypted with: the key pepper, or the receipts key if there is no
 * pepper. What the others encrypted can be read as long as they are there, so that a pepper can be set, or replaced.
 */
export function webhookSettings(config: Config, receipts: ReceiptSettings): WebhooksDeps['config'] {
  const { pepper, pepperPrevious } = config.projects
  const secrets = [pepper?.reveal(), pepperPrevious?.reveal(), receipts.config.privateKey]
  return { ...config.webhooks, serviceSecrets: secrets.filter((one) => one !== undefined) }
}
