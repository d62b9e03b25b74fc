import type { Sha256 } from './merkle-hash.js'
import { formatNoteKey } from './note-key.js'
import { type PlainTextFault, readPlainText } from './plain-text.js'
import { readPolicyLine } from './policy-line.js'
import type { Policy, PolicyDraft, PolicyFault } from './policy-parts.js'

export const policyBytesMax = 65_536

export type PolicyResult =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly reason: PlainTextFault | PolicyFault; readonly line: number }

/** A policy file in the spelling that this program writes: no comments, and a space between words. */
export function formatPolicy({ logs, witnesses, groups, quorum }: Policy): string {
  const lines = [
    ...logs.map(({ key, url }) => ['log', formatNoteKey(key), url]),
    ...witnesses.map(({ name, key, url }) => ['witness', name, formatNoteKey(key), url]),
    ...groups.map(({ name, threshold, members }) => ['group', name, wordOf(threshold, members.length), ...members]),
    ['quorum', quorum ?? 'none'],
  ]
  return lines.map((words) => `${words.filter((word) => word !== null).join(' ')}\n`).join('')
}

/**
 * Reads a policy file. People write it by hand, so it may have comments, empty lines, and spaces and tabs between words;
 * what it says (keys, numbers, names) has one spelling. Refused with the number of the line, from 1; 0 for the whole.
 */
export function parsePolicy(sha256: Sha256, bytes: Uint8Array): PolicyResult {
  const spaced = bytes.length > policyBytesMax ? bytes : bytes.map((byte) => (byte === 0x09 ? 0x20 : byte))
  const read = readPlainText(spaced, policyBytesMax)
  if (!read.ok) return { ...read, line: 0 }
  if (!read.text.endsWith('\n')) return { ok: false, reason: 'no-final-line-feed', line: 0 }
  const draft: PolicyDraft = { logs: [], witnesses: [], groups: [], quorum: undefined }
  for (const [at, line] of read.text.split('\n').entries()) {
    const words = line.split(' ').filter((word) => word !== '')
    if (words.length === 0 || words[0]?.startsWith('#')) continue
    const fault = readPolicyLine(sha256, draft, words)
    if (fault !== null) return { ok: false, reason: fault, line: at + 1 }
  }
  const { quorum } = draft
  return quorum === undefined ? { ok: false, reason: 'no-quorum', line: 0 } : { ok: true, policy: { ...draft, quorum } }
}

function wordOf(threshold: number, members: number): string {
  if (threshold === members) return 'all'
  return threshold === 1 ? 'any' : String(threshold)
}
