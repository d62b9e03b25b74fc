export {
  type BuildFault,
  type BuildResult,
  buildReceipt,
  type IssueContext,
  type UnsignedReceipt,
} from './build-receipt.js'
export { type LegacyVerdict, legacyReceiptRule } from './legacy-receipt.js'
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
export { type KnownKeys, type ReceiptReport, unnamedKeysTriedMax, verifyReceipt } from './verify-receipt.js'
