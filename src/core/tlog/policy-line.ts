import { type Sha256, sameBytes } from './merkle-hash.js'
import { type NoteKey, type NoteKeyType, parseNoteKey } from './note-key.js'
import { readDecimal } from './plain-text.js'
import { type PolicyDraft, type PolicyFault, type PolicyLog, policyMembersMax } from './policy-parts.js'

/** Stands for no witness at all in the quorum's line, so nothing else is called so. */
const NONE = 'none'

/** Adds what a line says to the draft; its words are there, at least one. Gives what is wrong with it, or null. */
export function readPolicyLine(sha256: Sha256, draft: PolicyDraft, words: readonly string[]): PolicyFault | null {
  const [keyword, ...rest] = words
  switch (keyword) {
    case 'log':
      return readLog(sha256, draft, rest)
    case 'witness':
      return readWitness(sha256, draft, rest)
    case 'group':
      return readGroup(draft, rest)
    case 'quorum':
      return readQuorum(draft, rest)
    default:
      return 'unknown-keyword'
  }
}

function readLog(sha256: Sha256, draft: PolicyDraft, words: readonly string[]): PolicyFault | null {
  const [keyText, url = null] = words
  if (keyText === undefined || words.length > 2) return 'wrong-number-of-words'
  if (draft.logs.length === policyMembersMax) return 'too-many-logs'
  const key = readKey(sha256, keyText, 'note')
  if (key === null) return 'bad-log-key'
  if (isListed(draft.logs, key)) return 'duplicate-log'
  draft.logs.push({ key, url })
  return null
}

function readWitness(sha256: Sha256, draft: PolicyDraft, words: readonly string[]): PolicyFault | null {
  const [name, keyText, url = null] = words
  if (name === undefined || keyText === undefined || words.length > 3) return 'wrong-number-of-words'
  if (draft.witnesses.length === policyMembersMax) return 'too-many-witnesses'
  const taken = faultOfName(draft, name)
  if (taken !== null) return taken
  const key = readKey(sha256, keyText, 'cosignature')
  if (key === null) return 'bad-witness-key'
  if (isListed(draft.witnesses, key)) return 'duplicate-witness'
  draft.witnesses.push({ name, key, url })
  return null
}

function readGroup(draft: PolicyDraft, words: readonly string[]): PolicyFault | null {
  const [name, thresholdText, ...members] = words
  if (name === undefined || thresholdText === undefined || members.length === 0) return 'wrong-number-of-words'
  if (draft.groups.length === policyMembersMax) return 'too-many-groups'
  const taken = faultOfName(draft, name)
  if (taken !== null) return taken
  const threshold = readThreshold(thresholdText, members.length)
  if (threshold === null) return 'bad-threshold'
  // One way for a witness to count, and no more: else one witness in two groups could be a quorum of two.
  const used = new Set(draft.groups.flatMap((group) => group.members))
  for (const member of members) {
    if (!isDefined(draft, member)) return 'unknown-member'
    if (used.has(member)) return 'member-used-twice'
    used.add(member)
  }
  draft.groups.push({ name, threshold, members })
  return null
}

function readQuorum(draft: PolicyDraft, words: readonly string[]): PolicyFault | null {
  const [name] = words
  if (name === undefined || words.length > 1) return 'wrong-number-of-words'
  if (draft.quorum !== undefined) return 'second-quorum'
  if (name !== NONE && !isDefined(draft, name)) return 'unknown-quorum'
  draft.quorum = name === NONE ? null : name
  return null
}

function readKey(sha256: Sha256, text: string, type: NoteKeyType): NoteKey | null {
  const parsed = parseNoteKey(sha256, text)
  return parsed.ok && parsed.key.type === type ? parsed.key : null
}

function readThreshold(text: string, members: number): number | null {
  if (text === 'all') return members
  const threshold = text === 'any' ? 1 : readDecimal(text)
  return threshold !== null && threshold >= 1 && threshold <= members ? threshold : null
}

/** Two keys are one if their public keys are, whatever they are called. */
function isListed(listed: readonly PolicyLog[], key: NoteKey): boolean {
  return listed.some((other) => sameBytes(other.key.publicKey.bytes, key.publicKey.bytes))
}

function isDefined({ witnesses, groups }: PolicyDraft, name: string): boolean {
  return [...witnesses, ...groups].some((one) => one.name === name)
}

function faultOfName(draft: PolicyDraft, name: string): PolicyFault | null {
  if (name === NONE) return 'reserved-name'
  return isDefined(draft, name) ? 'duplicate-name' : null
}
