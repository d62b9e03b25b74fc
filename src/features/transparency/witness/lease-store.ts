import type { Sql } from '../../../db/client.js'
import { confirmCompleted } from '../../../db/confirm.js'

/** Who submits to the witnesses, and until when; null: no instance does. */
export type Lease = { readonly holder: string | null; readonly until: Date | null }

export type LeaseStore = {
  /** What is written down, and the database's time, which all instances share. Undefined before the log has begun. */
  readonly read: () => Promise<(Lease & { readonly at: Date }) | undefined>
  /** Replaces what was read by what is meant; false if another instance has replaced it meanwhile. */
  readonly replace: (read: Lease, meant: Lease) => Promise<boolean>
}

const instantText = (time: Date | null): string | null => time?.toISOString() ?? null

export function createLeaseStore(sql: Sql): LeaseStore {
  return {
    read: async () => {
      const rows = await sql<(Lease & { readonly at: Date })[]>`
        select witness_holder as holder, witness_until as until, clock_timestamp() as at from log_head`
      return rows[0]
    },
    replace: async (read, meant) => {
      const replaced = await sql`
        update log_head set witness_holder = ${meant.holder}::text::uuid,
          witness_until = ${instantText(meant.until)}::text::timestamptz
        where witness_holder is not distinct from ${read.holder}::text::uuid
          and witness_until is not distinct from ${instantText(read.until)}::text::timestamptz`
      confirmCompleted(replaced, 'UPDATE')
      return replaced.count === 1
    },
  }
}
