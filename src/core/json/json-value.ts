/** A JSON value as `JSON.parse` makes it (RFC 8259 section 3). */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject

/** A JSON object: own, enumerable data members only. */
export interface JsonObject {
  readonly [name: string]: JsonValue
}

/**
 * True for a JSON object, false for arrays, null and everything else. Looks at the outside only, not at the members.
 */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
