import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { createPortableVerifier, type VerifierDeps } from '../core/ed25519/index.js'
import { runSelfTest } from '../core/proof/index.js'
import type { ProofDeps } from '../core/tlog/index.js'
import { PAGE_LIMITS } from './limits.js'

export type BrowserVerifier = {
  readonly deps: ProofDeps
  /** What checks signatures, in words. */
  readonly name: string
}

/**
 * The browser's own Ed25519 if it holds the published vectors, else arithmetic that came with the page: WebCrypto may be
 * missing (a page that is not from a secure origin has none) or know no Ed25519. Null if neither holds them.
 */
export async function openVerifier(): Promise<BrowserVerifier | null> {
  const candidates: readonly BrowserVerifier[] = [
    { name: "this browser's own Ed25519", deps: { sha256, verifyEd25519: webVerifier() } },
    {
      name: 'the Ed25519 arithmetic of this page',
      deps: { sha256, verifyEd25519: letDraw(createPortableVerifier(sha512)) },
    },
  ]
  for (const candidate of candidates) {
    if (await holds(candidate.deps)) return candidate
  }
  return null
}

async function holds(deps: ProofDeps): Promise<boolean> {
  try {
    return (await runSelfTest(deps)).every(({ ok }) => ok)
  } catch {
    return false
  }
}

/** WebCrypto computes the cofactorless equation. The key object of a key is kept for as long as its bytes live. */
function webVerifier(): ProofDeps['verifyEd25519'] {
  const keys = new WeakMap<Uint8Array, Promise<CryptoKey>>()
  return async (publicKey, message, signature) => {
    let key = keys.get(publicKey)
    if (key === undefined) {
      key = crypto.subtle.importKey('raw', Uint8Array.from(publicKey), { name: 'Ed25519' }, false, ['verify'])
      keys.set(publicKey, key)
    }
    return crypto.subtle.verify('Ed25519', await key, Uint8Array.from(signature), Uint8Array.from(message))
  }
}

/** The same verifier, which stands aside now and then so that the page can be drawn and scrolled. */
function letDraw(verify: VerifierDeps<boolean>['verifyEd25519']): ProofDeps['verifyEd25519'] {
  let drawn = performance.now()
  return async (...given) => {
    if (performance.now() - drawn > PAGE_LIMITS.drawnAgainMsMax) {
      await new Promise((resolve) => setTimeout(resolve))
      drawn = performance.now()
    }
    return verify(...given)
  }
}
