import { describe, expect, it } from 'vitest'
import { TRANSPARENCY_LIMITS } from '../../src/features/transparency/limits.js'
import { type AgedCheckpoint, createPurge, listSpare } from '../../src/features/transparency/purge-checkpoints.js'

const of = (size: number, seconds: number, witnesses = 0): AgedCheckpoint => ({
  ...{ size, signedAt: seconds * 1_000, witnesses },
})

describe('of the checkpoints', () => {
  it('the last of each minute is kept, and every one that a witness cosigned', () => {
    const kept = [of(1, 0), of(2, 10, 1), of(3, 59), of(4, 60), of(5, 61), of(6, 300), of(7, 310, 2), of(8, 320)]
    expect(listSpare(kept)).toEqual([1, 4, 6])
  })

  it('a single one is kept, and of none nothing is deleted', () => {
    expect(listSpare([of(1, 0)])).toEqual([])
    expect(listSpare([])).toEqual([])
  })
})

/** A table of checkpoints, one each second. */
function openTable(count: number, now: number) {
  const rows = new Map(Array.from({ length: count }, (_, at) => [at, of(at, at)]))
  const pages: number[] = []
  const purge = createPurge({
    clock: () => now,
    listAged: async (above, before, rowsMax) => {
      const found = [...rows.values()].filter(({ size, signedAt }) => size > above && signedAt < before)
      pages.push(Math.min(rowsMax, found.length))
      return found.slice(0, rowsMax)
    },
    deleteUnwitnessed: async (sizes) => {
      for (const size of sizes) rows.delete(size)
    },
  })
  return { rows, pages, purge }
}

describe('the purge', () => {
  it('leaves one a minute of what is old enough, and all of what is not', async () => {
    const count = 1_200
    const { rows, purge } = openTable(count, count * 1_000)
    await purge()
    const oldest = count - TRANSPARENCY_LIMITS.purgeAgeMsMin / 1_000
    const left = [...rows.keys()]
    expect(left.filter((size) => size >= oldest)).toHaveLength(count - oldest)
    expect(left.filter((size) => size < oldest)).toEqual(
      Array.from({ length: oldest / 60 }, (_, minute) => minute * 60 + 59),
    )
    await purge()
    expect([...rows.keys()]).toEqual(left)
  })

  it('reads a bounded number of pages at a time, and goes on behind them', async () => {
    const count = TRANSPARENCY_LIMITS.purgeRowsMax * (TRANSPARENCY_LIMITS.purgePagesMax + 2)
    const { rows, pages, purge } = openTable(count, (count + 10_000) * 1_000)
    await purge()
    expect(pages).toHaveLength(TRANSPARENCY_LIMITS.purgePagesMax)
    while (pages.at(-1) === TRANSPARENCY_LIMITS.purgeRowsMax) await purge()
    expect(rows.size).toBe(Math.ceil(count / 60))
  })
})
