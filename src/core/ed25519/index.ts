export { base64urlBytesMax, decodeBase64url, encodeBase64url } from './base64url.js'
export { type SignatureVerdict, type VerifierDeps, type VerifyEd25519, verifySignature } from './ed25519-rule.js'
export { createPortableVerifier, type Sha512 } from './portable-verifier.js'
export {
  checkPublicKey,
  type PublicKey,
  type PublicKeyFault,
  type PublicKeyResult,
  publicKeyBytes,
} from './public-key.js'
export {
  formatSignature,
  parseSignature,
  type SignatureTextFault,
  type SignatureTextResult,
  signatureBytes,
} from './signature-text.js'
