export {
  type CanonicalRefusal,
  type CanonicalResult,
  canonicalBytesMax,
  canonicalHalves,
  canonicalJson,
  joinCanonical,
} from './canonical-json.js'
export { nestingLevelsMax, type PlainJsonFault } from './canonical-writer.js'
export { jsonPointerCharsMax, toJsonPointer } from './json-pointer.js'
export type { JsonFinding, JsonLimits } from './json-scan.js'
export { isJsonObject, type JsonObject, type JsonValue } from './json-value.js'
export { type DocumentRefusal, type DocumentResult, parseCanonicalBytes, parseJsonBytes } from './strict-document.js'
export { parseStrictJson, receiptJsonLimits, type StrictJsonRefusal, type StrictJsonResult } from './strict-json.js'
export { hasLoneSurrogate } from './well-formed.js'
