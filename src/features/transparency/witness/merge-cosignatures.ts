import { formatNote, type NoteKey, type NoteSignature, parseNote } from '../../../core/tlog/index.js'
import { invariant } from '../../../platform/invariant.js'

export type Merged = { readonly note: string; readonly witnesses: number }

/** A note with verified signature lines more, each in the place of an earlier one of its key, and how many witnesses it has. */
export function mergeCosignatures(
  note: string,
  lines: readonly NoteSignature[],
  witnesses: readonly NoteKey[],
): Merged {
  const parsed = parseNote(new TextEncoder().encode(note))
  invariant(parsed.ok, 'a checkpoint that was kept is a note')
  const { text, signatures } = parsed.note
  const isSameKey = (one: NoteSignature, other: NoteSignature) => one.name === other.name && one.keyId === other.keyId
  const kept = signatures.filter((one) => !lines.some((line) => isSameKey(one, line)))
  const merged = [...kept, ...lines]
  const count = witnesses.filter(({ name, id }) =>
    merged.some((line) => line.name === name && line.keyId === id),
  ).length
  return { note: new TextDecoder().decode(formatNote({ text, signatures: merged })), witnesses: count }
}
