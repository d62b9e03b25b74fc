import { createHmac } from 'node:crypto'
import type { Delivery } from './webhook.js'

/**
 * The headers of an attempt by the Standard Webhooks specification 1.0.0: the id of the delivery, the time of the
 * attempt in whole seconds, and the base64 of the HMAC-SHA-256 of `id.timestamp.body` under the secret's bytes.
 */
export function signDelivery(delivery: Delivery, secret: Uint8Array, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const signed = `${delivery.id}.${timestamp}.${delivery.body}`
  const signature = createHmac('sha256', secret).update(signed).digest('base64')
  return {
    'webhook-id': delivery.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}
