import type { ObservedCall } from '../../src/features/gateway/account/account.js'

/** A small call that the gateway made; `said` is its metadata. */
export const observedCall = (said: object): ObservedCall => ({
  ...{ provider: 'local', model: 'small', alias: null, profile: null, origin: null },
  ...{ latencyMs: 1, costPico: null, isAwaited: false },
  tokens: { input_tokens: 1, output_tokens: 1, cached_input_tokens: 0 },
  metadata: JSON.stringify(said),
})
