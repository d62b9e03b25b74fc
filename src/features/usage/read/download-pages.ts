import { USAGE_LIMITS } from '../limits.js'
import type { LogPosition } from '../store.js'
import type { Ahead, AheadPlace } from './download-ahead.js'
import type { DownloadPage } from './download-store.js'

export type PageReads = {
  readonly read: (behind: LogPosition | null, until: LogPosition | null, rowsMax: number) => Promise<DownloadPage>
  /** Where so many rows end, or null if there are fewer or it is not known. */
  readonly findEnd: (behind: LogPosition | null, rows: number) => Promise<LogPosition | null>
}
/** A page that is being read; the next one can be begun before it has come if it is known where this one ends. */
type Begun = {
  readonly behind: LogPosition | null
  readonly until: LogPosition | null
  readonly page: Promise<DownloadPage>
}

/**
 * The pages in order, two read at once while the one before them is on its way, if there is room for that: Postgres
 * renders a row in twice the time that all else takes, and a million took 7.9 s instead of 11.4. Where a page ends is asked for first, by keys alone. A page
 * without rows is left out: it is a long stretch in which no row matches.
 */
export async function* readPages(
  first: DownloadPage,
  reads: PageReads,
  ahead: Ahead,
  bytesMax: number,
): AsyncGenerator<DownloadPage> {
  const place = ahead.enter()
  try {
    let page = first
    let begun: readonly Begun[] = []
    let rowsMax: number = USAGE_LIMITS.exportFirstRows
    for (;;) {
      const { behind, isLast, count } = page
      if (count > 0) rowsMax = rowsThatFit(page, bytesMax)
      // Fewer rows came than were asked for, since they were too large: what was begun behind them is not the next page.
      if (begun[0] !== undefined && !isSame(begun[0].behind, behind)) {
        place.leave()
        begun = []
      }
      if (!isLast) begun = await beginMore(begun, behind, rowsMax, reads, place)
      if (count > 0 || isLast) yield page
      if (isLast) return
      const [next, ...others] = begun
      page = await (next === undefined ? reads.read(behind, null, rowsMax) : place.take(next.page))
      begun = others
    }
  } finally {
    place.leave()
  }
}

async function beginMore(
  begun: readonly Begun[],
  behind: LogPosition | null,
  rowsMax: number,
  reads: PageReads,
  place: AheadPlace,
): Promise<readonly Begun[]> {
  const all = [...begun]
  while (all.length < USAGE_LIMITS.exportPagesAtOnceMax && place.hasRoom()) {
    const last = all.at(-1)
    if (last !== undefined && last.until === null) break
    const from = last === undefined ? behind : last.until
    const until = await reads.findEnd(from, rowsMax)
    const page = place.begin(() => reads.read(from, until, rowsMax))
    if (page === undefined) break
    all.push({ behind: from, until, page })
  }
  return all
}

const isSame = (one: LogPosition | null, other: LogPosition | null): boolean =>
  one?.loggedAt === other?.loggedAt && one?.id === other?.id

/** About as many rows like these as a page holds: what is rendered and then does not fit is work for nothing. */
function rowsThatFit({ lines, count }: DownloadPage, bytesMax: number): number {
  const fitting = Math.floor((0.9 * bytesMax * count) / Math.max(lines.length, 1))
  return Math.max(1, Math.min(fitting, USAGE_LIMITS.exportRowsMax))
}
