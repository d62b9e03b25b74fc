import type { Statements } from './client.js'
import { confirmCompleted } from './confirm.js'

export type RowsToErase = {
  readonly table: string
  /** Columns that, after `project_id`, tell the rows apart: those of the primary key, in its order. */
  readonly key: readonly [string, ...string[]]
  readonly projectId: string
  readonly rowsMax: number
}

/**
 * Deletes the first `rowsMax` rows of a project in the order of the key, and says how many. What goes is a range that ends
 * at one place, and no list that rows are joined with: where the planner's statistics do not know of the project yet, it
 * takes its rows for one, and compares each of them with each of the list. Of 100,000 members of batch receipts that
 * statement was not done after 10 s, this one after 0.01 s.
 */
export async function eraseRows(sql: Statements, { table, key, projectId, rowsMax }: RowsToErase): Promise<number> {
  const columns = key.join(', ')
  const gone = await sql.unsafe(
    `delete from ${table} where project_id = $1 and (${columns}) <= (
      select ${columns} from (
        select ${columns} from ${table} where project_id = $1 order by ${columns} limit $2
      ) as chunk order by ${key.map((column) => `${column} desc`).join(', ')} limit 1)`,
    [projectId, rowsMax],
  )
  return confirmCompleted(gone, 'DELETE').count
}
