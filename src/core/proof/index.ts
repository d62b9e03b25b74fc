export { base64urlBytesMax, decodeBase64url, encodeBase64url } from './base64url.js'
export {
  type BuildFault,
  type BuildResult,
  buildReceipt,
  type IssueContext,
  type UnsignedReceipt,
} from './build-receipt.js'
export { type CanonicalRefusal, type CanonicalResult, canonicalBytesMax, canonicalJson } from './canonical-json.js'
export { type SignatureVerdict, type VerifierDeps, type VerifyEd25519, verifySignature } from './ed25519-rule.js'
export { jsonPointerCharsMax, toJsonPointer } from './json-pointer.js'
export type { JsonFinding, JsonLimits } from './json-scan.js'
export { isJsonObject, type JsonObject, type JsonValue } from './json-value.js'
export { nestingLevelsMax, type PlainJsonFault } from './plain-json.js'
export { createPortableVerifier, type Sha512 } from './portable-verifier.js'
export {
  checkPublicKey,
  type PublicKey,
  type PublicKeyFault,
  type PublicKeyResult,
  publicKeyBytes,
} from './public-key.js'
export {
  type ReadReceipt,
  type ReadReceiptResult,
  type ReceiptFault,
  type ReceiptShape,
  readReceipt,
  signedBytes,
} from './receipt.js'
export {
  type AmountFault,
  type AmountResult,
  receiptAmountCharsMax,
  receiptAmountUsdMax,
  toReceiptAmount,
} from './receipt-amount.js'
export type { ReceiptCheck, ReceiptCheckName } from './receipt-checks.js'
export {
  foreignReceiptIdCharsMax,
  isForeignReceiptId,
  isIssuedReceiptId,
  issuedReceiptIdCharsMax,
} from './receipt-id.js'
export {
  type PayloadFault,
  type ReceiptCost,
  type ReceiptPayload,
  type ReceiptPayloadCost,
  receiptCalculationCharsMax,
  receiptCountersMax,
  receiptTextCharsMax,
} from './receipt-payload.js'
export {
  checkTimestamp,
  type TimestampFault,
  type TimestampResult,
  timestampAheadMsMax,
  timestampFractionDigitsMax,
} from './receipt-timestamp.js'
export { type SignDeps, type SignResult, signReceipt } from './sign-receipt.js'
export {
  formatSignature,
  parseSignature,
  type SignatureTextFault,
  type SignatureTextResult,
  signatureBytes,
} from './signature-text.js'
export { type DocumentRefusal, type DocumentResult, parseCanonicalBytes, parseJsonBytes } from './strict-document.js'
export { parseStrictJson, receiptJsonLimits, type StrictJsonRefusal, type StrictJsonResult } from './strict-json.js'
export { type KnownKeys, type ReceiptReport, unnamedKeysTriedMax, verifyReceipt } from './verify-receipt.js'
