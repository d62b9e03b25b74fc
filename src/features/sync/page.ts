import type { Position } from './position.js'
import type { EachRevision, RawPage, Scope } from './store.js'

type Change = { readonly revision: number; readonly text: string }

/** Some changes behind a position, and where their reader stands afterwards. */
export type Page = {
  readonly scope: Scope
  readonly epoch: string
  /** The project's revision when they were read. */
  readonly head: number
  /** Whether the position was of another epoch or above the head: these are the first changes of everything. */
  readonly isReset: boolean
  readonly changes: readonly Change[]
  /** Each that changed something here, if the changes are those of each; otherwise they are the last state. */
  readonly revisions?: readonly number[]
  readonly next: Position
  readonly isLast: boolean
}

/** The head of a project that never had an alias. */
export const NO_HEAD = { epoch: '00000000-0000-0000-0000-000000000000', revision: 0 }

/**
 * What was read, cut where a revision ends, so that its reader can resume there. Only of a revision that does not fit
 * as a whole a part is taken.
 */
export function toPage(scope: Scope, from: Position, { head: known, rows, cutAt }: RawPage): Page {
  const head = known ?? { ...NO_HEAD, isReset: from.since > 0 || !NO_HEAD.epoch.startsWith(from.epoch ?? '') }
  const { epoch, isReset } = head
  const whole = cutAt === null ? rows : rows.filter(({ revision }) => revision < cutAt)
  const taken = whole.length === 0 ? rows : whole
  const last = taken.at(-1)
  const page = { scope, epoch, head: head.revision, isReset, changes: taken.map(renderChange), isLast: cutAt === null }
  if (cutAt === null || last === undefined) return { ...page, next: { epoch, since: head.revision } }
  if (whole.length > 0) return { ...page, next: { epoch, since: last.revision } }
  return { ...page, next: { epoch, since: isReset ? 0 : from.since, after: last } }
}

/** The same page with what each of its revisions changed, instead of the last state. */
export function toEach(page: Page, { revisions, rows }: EachRevision): Page {
  return { ...page, revisions, changes: rows.map(renderChange) }
}

/** Joined, not added up: a sum of texts keeps each of them in memory until it is read. */
function renderChange(row: RawPage['rows'][number]): Change {
  const { revision, isDeleted, profile, alias, models, constraints, metadata } = row
  const head = [`{"revision":${revision},"op":"${isDeleted ? 'delete' : 'upsert'}","alias":`, JSON.stringify(alias)]
  const names = [',"profile":', JSON.stringify(profile), ',"models":', models ?? '[]']
  const text = [...head, ...names, ',"constraints":', constraints ?? 'null', ',"metadata":', metadata ?? 'null', '}']
  return { revision, text: text.join('') }
}

type Answer = Pick<Page, 'epoch' | 'scope' | 'isReset'> & { readonly revision: number }

/** The beginning of an answer's text, up to its first change. */
export function renderStart({ epoch, revision, scope, isReset }: Answer): string {
  const head = `{"epoch":"${epoch}","revision":${revision},"profile":${JSON.stringify(scope.profile)}`
  return `${head},"reset":${isReset},"changes":[`
}

/** A whole answer. `isMore`: another event follows at once, without which this one is not all that changed. */
export function renderAnswer(answer: Answer, changes: readonly Change[], isMore = false): string {
  return `${renderStart(answer)}${renderChanges(changes)}]${isMore ? ',"more":true' : ''}}`
}

export const renderChanges = (changes: readonly Change[]): string => changes.map(({ text }) => text).join(',')

export type PageEvent = { readonly id: string; readonly data: string }

/**
 * A page as events. Its reader resumes behind the last one whose revision it has whole, which is the id. `isLive`: one
 * event a revision, as those who follow see them; otherwise the page is one event.
 */
export function eventsOf(page: Page, isLive: boolean): readonly PageEvent[] {
  const { next, changes, isReset, isLast } = page
  if (!isLive || isReset) return [eventOf(page, next.since, changes, !isLast)]
  const byRevision = new Map<number, Change[]>(page.revisions?.map((revision) => [revision, []]))
  for (const change of changes) {
    const resumesAt = Math.min(change.revision, next.since)
    const together = byRevision.get(resumesAt) ?? []
    together.push(change)
    byRevision.set(resumesAt, together)
  }
  const last = [...byRevision.keys()].at(-1)
  return [...byRevision].map(([revision, together]) => eventOf(page, revision, together, revision !== last || !isLast))
}

function eventOf(page: Page, revision: number, changes: readonly Change[], isMore: boolean): PageEvent {
  return { id: String(revision), data: renderAnswer({ ...page, revision }, changes, isMore) }
}
