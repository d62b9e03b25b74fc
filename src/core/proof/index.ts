export {
  type AuditLine,
  entryName,
  isAuditHeader,
  parseAuditJson,
  parseAuditLine,
  readAuditHeader,
} from './audit-package.js'
export { type BatchContent, buildBatchReceipt, type CertifiedPart } from './build-batch-receipt.js'
export {
  type BuildFault,
  buildReceipt,
  type Evidence,
  type IssueContext,
  type LogPromise,
} from './build-receipt.js'
export { createHistory } from './history.js'
export { type DocumentJudgement, judgeDocument } from './judge-document.js'
export type { ReceiptJudgement } from './judge-receipt.js'
export { CHECK_MEANINGS, type Check, type CheckStatus, VERDICT_WORDS, type Verdict, worstOf } from './judgement.js'
export { readKeyDocument } from './key-document.js'
export { buildKeyStatement, verifyKeyStatement } from './key-statement.js'
export { followStatements, parseKeyStatements } from './key-statements.js'
export { type LegacyVerdict, legacyReceiptRule } from './legacy-receipt.js'
export { readPins } from './pins.js'
export {
  readReceipt,
  signedBytes,
} from './receipt.js'
export type { ReceiptCheck } from './receipt-checks.js'
export { type ChainPlace, draftReceipt, sealReceipt } from './receipt-draft.js'
export {
  foreignReceiptIdCharsMax,
  isForeignReceiptId,
  isIssuedReceiptId,
} from './receipt-id.js'
export {
  type ReceiptPayload,
  receiptCalculationCharsMax,
  receiptCountersMax,
  receiptTextCharsMax,
} from './receipt-payload.js'
export { checkTimestamp } from './receipt-timestamp.js'
export { runSelfTest, type SelfTestResult } from './self-test.js'
export { signReceipt } from './sign-receipt.js'
export { hashMember, type UsageMember } from './usage-member.js'
export { formatMembersRoot, verifyMembership } from './verify-membership.js'
export { type KnownKeys, type ReceiptReport, unnamedKeysTriedMax, verifyReceipt } from './verify-receipt.js'
