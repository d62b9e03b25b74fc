import type { Sql } from '../../../db/client.js'

type Row = { projectId: string; id: string; entry: string; isOwn: boolean }

/** The entries of all projects' receipts, page by page in the order of the primary key, for a check of the whole log. */
export function createEntryPages(sql: Sql) {
  return async (after: string | null, receiptsMax: number) => {
    const [project, id] = after === null ? ['00000000-0000-0000-0000-000000000000', ''] : split(after)
    const rows = await sql<Row[]>`
      select project_id as "projectId", id, encode(entry, 'hex') as entry,
        canonical is null or sha256(canonical) = entry as "isOwn"
      from receipts where (project_id, id) > (${project}::uuid, ${id})
      order by project_id, id limit ${receiptsMax}`
    const entries = rows.map(({ projectId, id: own, entry, isOwn }) => ({ name: `${projectId} ${own}`, entry, isOwn }))
    return { entries, next: rows.length < receiptsMax ? null : (entries.at(-1)?.name ?? null) }
  }
}

/** Ids of projects hold no space. */
function split(cursor: string): [string, string] {
  const at = cursor.indexOf(' ')
  return [cursor.slice(0, at), cursor.slice(at + 1)]
}
