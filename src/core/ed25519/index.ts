export { base64urlBytesMax, decodeBase64url, encodeBase64url } from './base64url.js'
export { type VerifierDeps, verifyParsed, verifySignature } from './ed25519-rule.js'
export { createPortableVerifier } from './portable-verifier.js'
export {
  checkPublicKey,
  type PublicKey,
} from './public-key.js'
export {
  faultOfSignature,
  formatSignature,
  parseSignature,
  type SignatureFault,
  type SignatureTextFault,
  type SignatureTextResult,
  signatureBytes,
} from './signature-text.js'
