/** The leaves from `start` up to, and without, `end`: what one hash of a proof stands for. */
export interface LeafRange {
  readonly start: number
  readonly end: number
}

/** A complete subtree: 2^`height` leaves from `index` times 2^`height` on. */
export interface Subtree {
  readonly height: number
  readonly index: number
}

/** Whether a number counts the leaves of a tree. Sizes stop at 2^53 - 1, where numbers stop being exact. */
export function isTreeSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

/**
 * What the hashes of an inclusion proof stand for (RFC 6962 section 2.1.1), from the leaf's sibling to the child of the
 * root. `index` is below `size`. At most 53 ranges.
 */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start)
    if (index < middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  return ranges.reverse()
}

/**
 * What the hashes of a consistency proof stand for (RFC 6962 section 2.1.2), from the lowest up. 0 < `from` < `to`. The
 * first range ends at `from` unless `from` is a power of two: then the verifier holds that hash as the old root.
 */
export function consistencyRanges(from: number, to: number): LeafRange[] {
  const ranges: LeafRange[] = []
  let start = 0
  let end = to
  while (end !== from) {
    const middle = start + largestPowerBelow(end - start)
    if (from <= middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  if (start > 0) ranges.push({ start, end })
  return ranges.reverse()
}

/**
 * The complete subtrees that make up a range, from left to right and from high to low. The range is one of a tree's own
 * (`start` is a multiple of a power of two that is no smaller than the range).
 */
export function completeSubtrees({ start, end }: LeafRange): Subtree[] {
  const subtrees: Subtree[] = []
  let at = start
  while (at < end) {
    const left = end - at
    const height = Math.round(Math.log2(largestPowerBelow(left + 1)))
    subtrees.push({ height, index: at / 2 ** height })
    at += 2 ** height
  }
  return subtrees
}

/** The largest power of two below `count`, which is at least 2. Multiplied, because bit operators stop at 2^31. */
function largestPowerBelow(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}
