import { eq } from 'drizzle-orm'
import { confirmCompleted } from '../../db/confirm.js'
import type { Orm } from '../../db/orm.js'
import { logHead } from '../../db/tables/log.js'

export type LogHead = { readonly origin: string; readonly size: number; readonly root: Uint8Array }

export function createHeadStore(orm: Orm) {
  return {
    find: async (): Promise<LogHead | undefined> => {
      const [row] = await orm.select().from(logHead).where(eq(logHead.onlyRow, true))
      return row
    },

    /** Begins the log unless it has begun. */
    insertNew: async (head: LogHead): Promise<void> => {
      const inserted = await orm.insert(logHead).values(head).onConflictDoNothing({ target: logHead.onlyRow })
      confirmCompleted(inserted, 'INSERT')
    },
  }
}
