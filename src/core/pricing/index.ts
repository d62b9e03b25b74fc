export { type Cost, costOf } from './cost.js'
export {
  findModel,
  type IndexedModel,
  type IndexResult,
  indexModels,
  type ModelIndex,
  namesPerProviderFileMax,
  providerName,
} from './model-index.js'
export {
  decimalFromPico,
  type MoneyResult,
  numberFromPico,
  picoFromDecimal,
  picoFromDecimalText,
  picoFromJsonNumber,
  reportedCostUsdMax,
} from './money.js'
export { PRICE_FIELDS, type PriceKind, type Prices, readPrices, usdPerMillion } from './price.js'
export {
  type CountField,
  checkTokens,
  TOKEN_FAULTS,
  type TokenCounts,
  type TokenFault,
  type TokenParts,
  type TokensResult,
  tokensPerKindMax,
} from './tokens.js'
