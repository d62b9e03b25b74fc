import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAhead } from '../../src/features/usage/read/download-ahead.js'
import { type PageReads, readPages } from '../../src/features/usage/read/download-pages.js'
import type { DownloadPage } from '../../src/features/usage/read/download-store.js'
import type { LogPosition } from '../../src/features/usage/store.js'

const at = (row: number): LogPosition => ({ loggedAt: String(row).padStart(6, '0'), id: 'x' })
const of = (position: LogPosition | null) => (position === null ? -1 : Number(position.loggedAt))

/** A table of numbers, of which one page holds `fitting` and an answer takes a turn of the event loop or several. */
function table(rows: Set<number>, fitting: (row: number) => number, turns: () => number) {
  const seen = { atOnce: 0, mostAtOnce: 0, reads: 0 }
  const between = (behind: LogPosition | null, until: LogPosition | null) =>
    [...rows].sort((a, b) => a - b).filter((row) => row > of(behind) && (until === null || row <= of(until)))
  const reads: PageReads = {
    read: async (behind, until, rowsMax) => {
      seen.reads += 1
      seen.mostAtOnce = Math.max(seen.mostAtOnce, ++seen.atOnce)
      for (let left = turns(); left > 0; left--) await new Promise(setImmediate)
      const all = between(behind, until)
      const taken = Math.min(rowsMax, fitting(all[0] ?? 0))
      const found = all.slice(0, taken)
      seen.atOnce -= 1
      const lines = Buffer.from(found.join('\n'))
      const last = found.at(-1)
      if (found.length === taken && last !== undefined) {
        return { lines, count: taken, behind: at(last), isLast: false }
      }
      if (until !== null) return { lines, count: found.length, behind: until, isLast: false }
      return { lines, count: found.length, behind: last === undefined ? behind : at(last), isLast: true }
    },
    findEnd: async (behind, count) => {
      const row = between(behind, null)[count - 1]
      return row === undefined ? null : at(row)
    },
  }
  return { reads, seen }
}

async function everyRow(reads: PageReads, onPage: (page: DownloadPage) => void = () => undefined, room = 4) {
  const rows: number[] = []
  const first = await reads.read(null, null, 5)
  for await (const page of readPages(first, reads, createAhead(room), 60)) {
    if (page.count > 0) rows.push(...page.lines.toString().split('\n').map(Number))
    onPage(page)
    await new Promise(setImmediate)
  }
  return rows
}

const upTo = (count: number) => new Set(Array.from({ length: count }, (_, row) => row * 2))

describe('the pages of a download', () => {
  it('are two reads at once, and in order', async () => {
    const { reads, seen } = table(
      upTo(500),
      () => 1_000,
      () => 3,
    )
    expect(await everyRow(reads)).toEqual([...upTo(500)])
    expect(seen.mostAtOnce).toBe(2)
  })

  it('are read one by one if there is no room to read ahead', async () => {
    const { reads, seen } = table(
      upTo(500),
      () => 1_000,
      () => 3,
    )
    expect(await everyRow(reads, () => undefined, 0)).toEqual([...upTo(500)])
    expect(seen.mostAtOnce).toBe(1)
  })

  it('hold every row once, of whatever size, while rows come and go between them', async () => {
    const changes = fc.array(fc.record({ row: fc.nat(700), isNew: fc.boolean() }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(300),
        changes,
        fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
        async (count, all, sizes) => {
          const rows = upTo(count)
          const queue = [...all]
          const touched = new Set(all.map(({ row }) => row))
          const next = () => sizes.next().value ?? 1
          const { reads } = table(rows, next, () => next() % 4)
          const read = await everyRow(reads, () => {
            const change = queue.shift()
            if (change?.isNew === true) rows.add(change.row)
            else if (change !== undefined) rows.delete(change.row)
          })
          expect(read).toEqual([...new Set(read)].sort((a, b) => a - b))
          expect(read.filter((row) => !touched.has(row))).toEqual([...upTo(count)].filter((row) => !touched.has(row)))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('end with the error of a read, and no page behind it counts as waiting', async () => {
    const { reads } = table(
      upTo(500),
      () => 1_000,
      () => 1,
    )
    const ahead = createAhead(2)
    let calls = 0
    const failing: PageReads = {
      ...reads,
      read: async (...asked) => (++calls === 4 ? Promise.reject(new Error('lost')) : reads.read(...asked)),
    }
    const first = await failing.read(null, null, 5)
    const all = async () => {
      for await (const page of readPages(first, failing, ahead, 60)) expect(page.count).toBeGreaterThan(0)
    }
    await expect(all()).rejects.toThrow('lost')
    const place = ahead.enter()
    expect([1, 2, 3].map(() => place.begin(async () => 1) !== undefined)).toEqual([true, true, false])
  })
})
