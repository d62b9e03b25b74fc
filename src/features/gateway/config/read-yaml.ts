import { Lexer, parseDocument } from 'yaml'

export type YamlResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly faults: readonly string[] }

/**
 * Reads a YAML text to plain values. Its size is looked at before it is read, and what stands for something else (`*name`)
 * is not taken: a few lines of that can mean gigabytes. Its tokens are counted before it is parsed: the time that takes
 * grows with their square, to half a minute for 200 kB of quotes. No fault repeats a value, which may be a key.
 */
export function readYaml(text: string, bytesMax: number, tokensMax: number): YamlResult {
  if (Buffer.byteLength(text) > bytesMax) return { ok: false, faults: [`the file is larger than ${bytesMax} bytes`] }
  if (hasMoreTokens(text, tokensMax)) return { ok: false, faults: [`the file has more than ${tokensMax} tokens`] }
  const document = parseDocument(text, { prettyErrors: true, strict: true, uniqueKeys: true, logLevel: 'silent' })
  if (document.errors.length > 0) {
    return { ok: false, faults: document.errors.map(({ code, linePos }) => place(code, linePos)) }
  }
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 0 }) }
  } catch {
    return { ok: false, faults: ['an alias (*name) is not taken here: write out what it stands for'] }
  }
}

function hasMoreTokens(text: string, tokensMax: number): boolean {
  let tokens = 0
  for (const _token of new Lexer().lex(text)) {
    tokens += 1
    if (tokens > tokensMax) return true
  }
  return false
}

const place = (code: string, position: readonly { line: number; col: number }[] | undefined): string =>
  `line ${position?.[0]?.line ?? 1}: is not YAML (${code.toLowerCase().replaceAll('_', ' ')})`
