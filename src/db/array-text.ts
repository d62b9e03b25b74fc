export type ArrayElement = string | number | boolean | bigint | null | undefined

/** Values as the text of a Postgres array (8.15.6: quoted elements, `"` and `\` escaped by a backslash). */
export function arrayText(values: readonly ArrayElement[]): string {
  let text = '{'
  for (let index = 0; index < values.length; index++) text += (index > 0 ? ',' : '') + elementText(values[index])
  return `${text}}`
}

/** One element of it. */
export function elementText(value: ArrayElement): string {
  if (value === null || value === undefined) return 'NULL'
  return typeof value === 'string' ? quoted(value) : String(value)
}

const SPECIAL = /["\\]/g

function quoted(text: string): string {
  return `"${text.includes('"') || text.includes('\\') ? text.replace(SPECIAL, '\\$&') : text}"`
}
