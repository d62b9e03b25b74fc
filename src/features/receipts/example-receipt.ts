import type { JsonObject } from '../../core/json/index.js'
import { signReceipt } from '../../core/proof/index.js'
import { invariant } from '../../platform/invariant.js'
import type { SigningKey } from './keys/signing-keys.js'

const UNSIGNED: JsonObject = {
  id: 'example-of-the-documentation',
  timestamp: '2026-01-01T00:00:00Z',
  registry_version: 'none',
  model: 'example:none',
  alias: 'example',
  profile: 'default',
  lock_digest: '',
  tokens: { input: 0, output: 0, cached_input: 0 },
  cost: {
    amount: '0.000000000000',
    calculation: 'An example of the documentation: no call was made, and nothing was paid.',
    currency: 'USD',
  },
}

/**
 * A receipt for the documentation that verifies and can be stored here: the same bytes from every instance with the
 * key, and true, since it certifies that nothing happened. Without a private key its signature is a mere pattern.
 */
export function exampleReceipt(key: SigningKey | null): JsonObject {
  if (key?.sign == null) return { ...UNSIGNED, key_id: key?.keyId ?? 'none', signature: `ed25519:${'A'.repeat(86)}` }
  const signed = signReceipt({ sign: key.sign }, { ...UNSIGNED, key_id: key.keyId })
  invariant(signed.ok, 'the example is a receipt')
  return signed.receipt
}
