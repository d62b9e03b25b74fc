import type { ProjectId } from '../access/principal.js'
import type { MessageHandlers } from '../db/messages.js'
import type { App, Guards } from '../http/endpoint.js'

/**
 * All that the service knows of a feature: `compose` makes one list of them and walks it for everything. A feature's
 * `feature.ts` returns one; what it offers to other features beside it is its own type.
 */
export type Feature = {
  /** In the log, in the checks of `/readyz` and in the counts of an erasure. */
  readonly name: string
  mount(app: App, guards: Guards): void
  /** In the order of the list, before the first request. A rejection stops the start of the service. */
  start?(): void | Promise<void>
  /** In reverse order, after the last response. Writes what waits, stops its timers. */
  close?(): void | Promise<void>
  /** What it holds of a project is deleted by this. A test refuses a table of projects that it leaves out. */
  readonly erase?: EraseChunk
  /** What it holds of a project, by the `type` that the exported lines carry. The same test looks at this, too. */
  readonly export?: Readonly<Record<string, ExportPage>>
  /** Hears what other instances, and this one, committed. */
  readonly onMessage?: MessageHandlers
  /** Messages may have been missed: whatever is remembered because of them has to be forgotten. */
  onMissedMessages?(): void
  /** Whether requests should come here. It costs nothing and waits for nothing. */
  ready?(): boolean
  /** What an operator should know of it, in `/readyz`. No secrets: anybody may read it. */
  remarks?(): readonly string[]
}

/** Deletes at most `rowsMax` rows of a project, in one short transaction, and says how many; 0 once nothing is left. */
type EraseChunk = (projectId: ProjectId, rowsMax: number) => Promise<number>

/**
 * One page of what a feature holds of a project, in a stable order: the JSON texts of objects with members, and the
 * cursor of the next page (null at the end). At most `rowsMax` rows and fewer if they are large (but one at least), so
 * that a page needs little memory. Each page is a statement of its own, so no transaction lasts as long as a download.
 */
type ExportPage = (projectId: ProjectId, after: string | null, rowsMax: number) => Promise<ExportedPage>
export type ExportedPage = { readonly rows: readonly string[]; readonly next: string | null }
