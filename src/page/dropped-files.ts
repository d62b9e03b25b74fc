import { isJsonObject, parseStrictJson } from '../core/json/index.js'
import { PAGE_LIMITS } from './limits.js'

/** What a file is for. */
export type FileRole = 'document' | 'proof' | 'keys' | 'policy' | 'statements' | 'checkpoints' | 'member'

/** Guesses what a dropped file is for, by its beginning. A person sees the guess, and can choose another. */
export async function roleOf(file: File): Promise<FileRole> {
  if (file.size > PAGE_LIMITS.pinFileBytesMax) return 'document'
  const text = await file.text()
  if (text.startsWith('c2sp.org/tlog-proof@')) return 'proof'
  if (/^[^\n{}]+\n\d+\n[A-Za-z0-9+/]{43}=\n\n— /.test(text)) return 'checkpoints'
  if (/^(#.*\n|\s)*(log|witness|group|quorum)\s/.test(text)) return 'policy'
  if (isStatement(text.split('\n', 1)[0] ?? '')) return 'statements'
  const parsed = parseStrictJson(text)
  if (!parsed.ok || !isJsonObject(parsed.value)) return 'document'
  const { value } = parsed
  const has = (name: string): boolean => Object.hasOwn(value, name)
  if (has('signature') || has('receipt') || has('type')) return 'document'
  if (has('keys') || has('kty')) return 'keys'
  if (has('members_root')) return 'member'
  return has('proof') || has('log_proof') ? 'proof' : 'document'
}

/** Whether a line says that a key has followed another one. */
function isStatement(line: string): boolean {
  const parsed = parseStrictJson(line)
  return parsed.ok && isJsonObject(parsed.value) && parsed.value['type'] === 'key-statement/v1'
}
