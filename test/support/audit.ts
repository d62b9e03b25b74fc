import type { ProofDeps } from '../../src/core/tlog/index.js'
import { createNodeVerifier } from '../../src/platform/node-ed25519.js'
import { sha256 } from '../unit/tlog-trees.js'

/** What an auditor's own program brings along. */
export function nodeVerifierDeps(): ProofDeps {
  return { ...createNodeVerifier(), sha256 }
}
