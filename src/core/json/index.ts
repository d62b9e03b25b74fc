export {
  type CanonicalRefusal,
  type CanonicalResult,
  canonicalBytesMax,
  canonicalJson,
  canonicalRuns,
  joinCanonical,
} from './canonical-json.js'
export type { PlainJsonFault } from './canonical-writer.js'
export { jsonPointerCharsMax, toJsonPointer } from './json-pointer.js'
export type { JsonFinding } from './json-scan.js'
export { isJsonObject, type JsonObject, type JsonValue } from './json-value.js'
export { parseCanonicalBytes, parseJsonBytes } from './strict-document.js'
export { parseStrictJson, receiptJsonLimits, type StrictJsonRefusal } from './strict-json.js'
export { hasLoneSurrogate } from './well-formed.js'
