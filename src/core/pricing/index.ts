export { COMPUTED_COST_STATUSES, type Cost, costOf, TOKEN_KINDS } from './cost.js'
export {
  findModel,
  type IndexedModel,
  indexModels,
  type ModelIndex,
  namesPerProviderFileMax,
  providerName,
} from './model-index.js'
export {
  decimalFromPico,
  numberFromPico,
  picoFromDecimal,
  picoFromDecimalText,
  picoFromJsonNumber,
  reportedCostUsdMax,
  usdPlaces,
} from './money.js'
export { PRICE_FIELDS, type PriceKind, type Prices, picoPerTokenAtMost, readPrices, usdPerMillion } from './price.js'
export { type AmountFault, toReceiptAmount } from './receipt-amount.js'
export {
  checkTokens,
  type TokenCounts,
  type TokenParts,
  tokensPerKindMax,
} from './tokens.js'
