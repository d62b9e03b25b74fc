/** Values as the text of a Postgres array (8.15.6: quoted elements, `"` and `\` escaped by a backslash). */
export function arrayText(values: readonly (string | number | boolean | bigint | null | undefined)[]): string {
  let text = '{'
  for (const [index, value] of values.entries()) {
    if (index > 0) text += ','
    if (value === null || value === undefined) text += 'NULL'
    else if (typeof value === 'string') text += quoted(value)
    else text += String(value)
  }
  return `${text}}`
}

const SPECIAL = /["\\]/g

function quoted(text: string): string {
  return `"${text.includes('"') || text.includes('\\') ? text.replace(SPECIAL, '\\$&') : text}"`
}
