import { confirmRow } from '../../../db/confirm.js'
import { sqlOf, type Tx } from '../../../db/transact.js'
import type { TreeHead } from '../tree-head.js'
import type { Merged } from './merge-cosignatures.js'

/** Replaces the note of a kept checkpoint by what `merge` makes of it; undefined if it is not kept any more. */
export async function addCosignatures(
  tx: Tx,
  { size, root }: TreeHead,
  merge: (note: string) => Merged,
): Promise<Merged | undefined> {
  const sql = sqlOf(tx)
  const rows = await sql<{ note: string }[]>`
    select note from log_checkpoints where size = ${size} and root = ${Buffer.from(root)} for update`
  const [row] = rows
  if (row === undefined) return undefined
  const merged = merge(row.note)
  const updated = await sql<{ size: string }[]>`
    update log_checkpoints set note = ${merged.note}, witnesses = ${merged.witnesses}
    where size = ${size} returning size`
  confirmRow(updated)
  return merged
}
