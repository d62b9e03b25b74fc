import { isQuorumMet, type Policy, parseNote } from '../../../core/tlog/index.js'
import type { StoredCheckpoint, WitnessedStore } from '../checkpoint-store.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'

/** The first checkpoint that holds an entry and that enough witnesses cosigned; undefined if there is none yet. */
export type FirstWitnessed = (index: number) => Promise<StoredCheckpoint | undefined>

/**
 * What a witness said first of an entry is the best proof of its time: a later checkpoint holds the entry as well, and
 * leaves open when it came. Enough is what the policy's quorum asks for, and any witness if it asks for none.
 */
export function createFirstWitnessed(
  policy: Policy | null,
  { listFirst }: Pick<WitnessedStore, 'listFirst'>,
): FirstWitnessed {
  if (policy === null) return async () => undefined
  return async (index) => {
    const kept = await listFirst(index, TRANSPARENCY_LIMITS.witnessedLookedAtMax)
    return kept.find(({ note }) => hasQuorum(policy, note))
  }
}

/** Whether the note of a kept checkpoint has the lines that a policy's quorum asks for. */
export const hasQuorum = (policy: Policy, note: string): boolean => isQuorumMet(policy, cosignersOf(policy, note))

/** Whose lines the note has. They were verified before they were kept. */
function cosignersOf({ witnesses }: Policy, note: string) {
  const parsed = parseNote(new TextEncoder().encode(note))
  const lines = parsed.ok ? parsed.note.signatures : []
  const isThere = ({ key }: Policy['witnesses'][number]) =>
    lines.some(({ name, keyId }) => name === key.name && keyId === key.id)
  return new Set(witnesses.filter(isThere).map(({ key }) => key))
}
