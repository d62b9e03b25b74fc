import type { NoteKey } from './note-key.js'

/** Of logs, of witnesses and of groups each. */
export const policyMembersMax = 64

export interface PolicyLog {
  readonly key: NoteKey
  readonly url: string | null
}

interface PolicyWitness extends PolicyLog {
  /** What groups and the quorum call it; it means nothing outside of the policy. */
  readonly name: string
}

/** Witnesses a checkpoint if at least `threshold` of its members do: witnesses, and groups defined before it. */
interface PolicyGroup {
  readonly name: string
  readonly threshold: number
  readonly members: readonly string[]
}

/** Whom an auditor trusts (c2sp.org/tlog-policy). */
export interface Policy {
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  readonly groups: readonly PolicyGroup[]
  /** The witness or group that has to witness a checkpoint; null for none. */
  readonly quorum: string | null
}

/** What the lines so far have defined. */
export interface PolicyDraft {
  readonly logs: PolicyLog[]
  readonly witnesses: PolicyWitness[]
  readonly groups: PolicyGroup[]
  /** Undefined until its line came. */
  quorum: string | null | undefined
}

/** What can be wrong with a line of a policy, or with the whole. */
export type PolicyFault =
  | 'no-final-line-feed'
  | 'unknown-keyword'
  | 'wrong-number-of-words'
  | 'bad-log-key'
  | 'bad-witness-key'
  | 'duplicate-log'
  | 'duplicate-witness'
  | 'duplicate-name'
  | 'reserved-name'
  | 'bad-threshold'
  | 'unknown-member'
  | 'member-used-twice'
  | 'too-many-logs'
  | 'too-many-witnesses'
  | 'too-many-groups'
  | 'unknown-quorum'
  | 'second-quorum'
  | 'no-quorum'
