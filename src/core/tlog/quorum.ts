import type { NoteKey } from './note-key.js'
import type { Policy } from './policy-parts.js'

/** Whether enough of a policy's witnesses have cosigned. `cosigners` are keys of `policy.witnesses`, as they stand there. */
export function isQuorumMet(policy: Policy, cosigners: ReadonlySet<NoteKey>): boolean {
  if (policy.quorum === null) return true
  const witnessed = new Set(policy.witnesses.filter(({ key }) => cosigners.has(key)).map(({ name }) => name))
  // A group comes after its members, so what they say is known by then.
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name)
  }
  return witnessed.has(policy.quorum)
}
