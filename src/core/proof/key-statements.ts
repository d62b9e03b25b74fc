import type { VerifierDeps } from '../ed25519/index.js'
import { type JsonValue, parseCanonicalBytes } from '../json/index.js'
import { sameBytes } from '../tlog/index.js'
import { keysMax, type PinnedKeys, readInstant } from './key-document.js'
import { verifyKeyStatement } from './key-statement.js'

type StatementsResult =
  | { readonly ok: true; readonly statements: readonly JsonValue[] }
  | { readonly ok: false; readonly detail: string }

/** Characters of a statement: two ids, a key, a name and a signature. */
const LINE_LIMITS = { textCharsMax: 4_096, nestingLevelsMax: 4 }

/** Reads statements as /receipts/key-statements.ndjson serves them, a canonical JSON text a line. Nothing is verified. */
export function parseKeyStatements(bytes: Uint8Array): StatementsResult {
  const lines = splitLines(bytes)
  if (lines.length > keysMax) return { ok: false, detail: `It has more than ${keysMax} lines.` }
  const statements: JsonValue[] = []
  for (const [at, line] of lines.entries()) {
    const parsed = parseCanonicalBytes(line, LINE_LIMITS)
    if (!parsed.ok) return { ok: false, detail: `Line ${at + 1} is not canonical JSON (${parsed.reason}).` }
    statements.push(parsed.value)
  }
  return { ok: true, statements }
}

/**
 * The pinned keys, and those that they lead to: a statement that is signed by a key which is known vouches for the new
 * one, from its time on, and ends the old one. In their order, so that each may lead on. One that no known key signed
 * says nothing: it is neither followed nor a fault. A key that is pinned is never replaced by another of its name.
 */
export async function followStatements(
  deps: VerifierDeps,
  pinned: PinnedKeys | null,
  statements: readonly JsonValue[],
): Promise<PinnedKeys | null> {
  if (pinned === null || statements.length === 0) return pinned
  const keys = new Map(pinned)
  for (const statement of statements.slice(0, keysMax)) {
    const known = new Map([...keys].map(([keyId, { key }]) => [keyId, key]))
    const verdict = await verifyKeyStatement(deps, known, statement)
    const at = verdict.ok ? readInstant(verdict.at) : undefined
    if (!verdict.ok || verdict.oldKeyId === null || at == null) continue
    const { oldKeyId, newKeyId, newKey } = verdict
    const named = keys.get(newKeyId)
    if (named !== undefined && !sameBytes(named.key.bytes, newKey.bytes)) continue
    const old = keys.get(oldKeyId)
    if (old !== undefined) keys.set(oldKeyId, { ...old, notAfter: old.notAfter ?? at })
    // One that is taken into use again has no end any more.
    keys.set(
      newKeyId,
      named === undefined
        ? { key: newKey, notBefore: at, notAfter: null }
        : { ...named, notAfter: pinned.get(newKeyId)?.notAfter ?? null },
    )
  }
  return keys
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = []
  let from = 0
  while (from < bytes.length && lines.length <= keysMax) {
    const end = bytes.indexOf(0x0a, from)
    lines.push(bytes.subarray(from, end === -1 ? bytes.length : end))
    from = end === -1 ? bytes.length : end + 1
  }
  return lines
}
