import { readFile, stat } from 'node:fs/promises'
import { type NoteKey, type Policy, parseNoteKey, parsePolicy, policyBytesMax } from '../core/tlog/index.js'
import { sha256 } from '../platform/sha256.js'
import { NotConfigured } from './not-configured.js'

/** The policy in a file. Throws `NotConfigured` with what is wrong and where. */
export async function readPolicyFile(path: string): Promise<Policy> {
  const { size } = await stat(path)
  const bytes = size > policyBytesMax ? new Uint8Array(policyBytesMax + 1) : await readFile(path)
  const parsed = parsePolicy(sha256, bytes)
  if (parsed.ok) return parsed.policy
  const place = parsed.line === 0 ? '' : ` in line ${parsed.line}`
  throw new NotConfigured(`${path} is no policy: ${parsed.reason}${place}.`)
}

/** The key of a log; null if the text is none, or that of a witness. */
export function readLogKey(text: string): NoteKey | null {
  const parsed = parseNoteKey(sha256, text)
  return parsed.ok && parsed.key.type === 'note' ? parsed.key : null
}
