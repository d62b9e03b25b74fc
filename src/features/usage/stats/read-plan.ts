/** The lengths for which sums are kept, each a part of the one before it. */
export const GRAINS = { day: 86_400_000, hour: 3_600_000, quarter: 900_000 } as const
type Grain = keyof typeof GRAINS

/** Folded sums of a grain, added to one part of the period and taken away from another; null: of none. */
type Segment = {
  readonly grain: Grain
  readonly fromMs: number
  readonly untilMs: number
  readonly plus: number | null
  readonly minus: number | null
}
/** What has to be read for the parts between these bounds, so that each event is counted in its own part, once. */
export type ReadPlan = {
  readonly segments: readonly Segment[]
  /** Events, where a part begins or ends within a quarter of an hour. */
  readonly rows: readonly { readonly fromMs: number; readonly untilMs: number; readonly part: number }[]
  /** The quarters whose sums are not folded yet are read too, from and before these, but for `split`. */
  readonly quarters: { readonly fromMs: number; readonly untilMs: number }
  readonly splitMs: readonly number[]
}
type Piece = { readonly fromMs: number; readonly untilMs: number; readonly part: number | null }

const { day: DAY, hour: HOUR, quarter: QUARTER } = GRAINS
const floor = (ms: number, size: number) => Math.floor(ms / size) * size
const ceil = (ms: number, size: number) => Math.ceil(ms / size) * size

/**
 * Days in which no part ends are read whole. A day in which one ends is given to one side, and what belongs to the
 * other is moved, if these are fewer sums: midnight in India needs a day and 7 smaller ones, not 26. `boundsMs` ascend,
 * at least two.
 */
export function planReads(boundsMs: readonly number[]): ReadPlan {
  const from = boundsMs[0] ?? 0
  const until = boundsMs.at(-1) ?? from
  const pieces = piecesOf(boundsMs)
  const split = [...new Set(boundsMs.filter((ms) => ms % QUARTER !== 0).map((ms) => floor(ms, QUARTER)))]
  const segments: Segment[] = []
  for (let start = floor(from, DAY), at = 0; start < until; start += DAY) {
    while ((pieces[at]?.untilMs ?? Number.POSITIVE_INFINITY) <= start) at += 1
    for (const segment of ofDay(within(pieces, at, start, start + DAY))) append(segments, segment)
  }
  return {
    segments,
    rows: split.flatMap((ms) => within(pieces, 0, ms, ms + QUARTER).filter(isOfPart)),
    quarters: { fromMs: ceil(from, QUARTER), untilMs: floor(until, QUARTER) },
    splitMs: split,
  }
}

/** The parts, and what is before and behind them. */
function piecesOf(boundsMs: readonly number[]): Piece[] {
  const ends = [Number.NEGATIVE_INFINITY, ...boundsMs, Number.POSITIVE_INFINITY]
  return ends.slice(1).map((untilMs, index) => {
    const isOutside = index === 0 || index === boundsMs.length
    return { fromMs: ends[index] ?? untilMs, untilMs, part: isOutside ? null : index - 1 }
  })
}

const isOfPart = (piece: Piece): piece is Piece & { readonly part: number } => piece.part !== null

/** The pieces from one of them on, cut to a stretch. */
function within(pieces: readonly Piece[], first: number, fromMs: number, untilMs: number): Piece[] {
  const found: Piece[] = []
  for (let at = first; at < pieces.length; at += 1) {
    const piece = pieces[at] as Piece
    if (piece.fromMs >= untilMs) break
    if (piece.untilMs <= fromMs) continue
    found.push({ ...piece, fromMs: Math.max(piece.fromMs, fromMs), untilMs: Math.min(piece.untilMs, untilMs) })
  }
  return found
}

function ofDay(pieces: readonly Piece[]): Segment[] {
  const direct = pieces.filter(isOfPart).flatMap((piece) => inside(piece, piece.part, null))
  const [left, right] = pieces
  if (left === undefined || right === undefined || pieces.length > 2) return direct
  const ways = [direct, moved(left, right), moved(right, left)]
  return ways.reduce((best, way) => (way.length > 0 && sumsIn(way) < sumsIn(best) ? way : best))
}

/** The day whole for one side, less what belongs to the other; nothing if the first one is of no part. */
function moved(whole: Piece, rest: Piece): Segment[] {
  if (whole.part === null) return []
  const [fromMs, untilMs] = [Math.min(whole.fromMs, rest.fromMs), Math.max(whole.untilMs, rest.untilMs)]
  const bound = Math.max(whole.fromMs, rest.fromMs)
  const own = { grain: 'day', fromMs, untilMs, plus: whole.part, minus: null } as const
  if (bound % QUARTER === 0) return [own, ...inside(rest, rest.part, whole.part)]
  const quarter = floor(bound, QUARTER)
  const cut = { grain: 'quarter', fromMs: quarter, untilMs: quarter + QUARTER, plus: null, minus: whole.part } as const
  return [own, ...inside(rest, rest.part, whole.part), cut]
}

/** The whole hours of a stretch, and the quarters around them. Quarters that a bound cuts are not among them. */
function inside({ fromMs, untilMs }: Piece, plus: number | null, minus: number | null): Segment[] {
  const [first, last] = [ceil(fromMs, QUARTER), floor(untilMs, QUARTER)]
  const [firstHour, lastHour] = [ceil(first, HOUR), floor(last, HOUR)]
  const made =
    firstHour >= lastHour
      ? [{ grain: 'quarter', fromMs: first, untilMs: last } as const]
      : [
          { grain: 'quarter', fromMs: first, untilMs: firstHour } as const,
          lastHour - firstHour === DAY
            ? ({ grain: 'day', fromMs: firstHour, untilMs: lastHour } as const)
            : ({ grain: 'hour', fromMs: firstHour, untilMs: lastHour } as const),
          { grain: 'quarter', fromMs: lastHour, untilMs: last } as const,
        ]
  return made.filter((one) => one.fromMs < one.untilMs).map((one) => ({ ...one, plus, minus }))
}

const sumsIn = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { grain, fromMs, untilMs }) => sum + (untilMs - fromMs) / GRAINS[grain], 0)

/** Adds a segment, or lengthens the last one by it. */
function append(segments: Segment[], next: Segment): void {
  const last = segments.at(-1)
  const isSame = last?.grain === next.grain && last.plus === next.plus && last.minus === next.minus
  if (last === undefined || !isSame || last.untilMs !== next.fromMs) segments.push(next)
  else segments[segments.length - 1] = { ...last, untilMs: next.untilMs }
}
