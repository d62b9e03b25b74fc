import { createHash } from 'node:crypto'
import type { ProofDeps } from '../../core/tlog/index.js'
import { createNodeVerifier } from '../../platform/node-ed25519.js'

/** What the judgement needs from this machine. */
export function verifierDeps(): ProofDeps {
  return { ...createNodeVerifier(), sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()) }
}
