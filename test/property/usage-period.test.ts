import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import { parseMoment, readPeriod } from '../../src/features/usage/period.js'

const DAY_MS = 86_400_000
const millisecond = fc.integer({ min: 0, max: USAGE_LIMITS.timeMsMax - 1 })
const two = (value: number) => String(value).padStart(2, '0')

describe('a moment', () => {
  it('of every millisecond that has a name is that millisecond', () => {
    fc.assert(
      fc.property(millisecond, (ms) => {
        expect(parseMoment(new Date(ms).toISOString())).toEqual({ fromMs: ms, untilMs: ms + 1 })
      }),
    )
  })

  it('is the same one in every offset', () => {
    const offset = fc.integer({ min: -1439, max: 1439 })
    fc.assert(
      fc.property(fc.integer({ min: DAY_MS, max: USAGE_LIMITS.timeMsMax - DAY_MS - 1 }), offset, (ms, minutes) => {
        const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1)
        const size = Math.abs(minutes)
        const text = `${local}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
        expect(parseMoment(text)).toEqual({ fromMs: ms, untilMs: ms + 1 })
      }),
    )
  })

  it('that is a date is the 24 hours that the calendar says, and one that is not in the calendar is none', () => {
    const date = fc.tuple(
      fc.integer({ min: 0, max: 9999 }),
      fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 0, max: 33 }),
    )
    fc.assert(
      fc.property(date, ([year, month, day]) => {
        const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
        const parsed = parseMoment(text)
        // An independent judge: the engine's own parser, which must give the same date back.
        const judge = new Date(`${text}T00:00:00Z`)
        const exists = !Number.isNaN(judge.getTime()) && judge.toISOString().startsWith(text) && year >= 1970
        expect(parsed).toEqual(exists ? { fromMs: judge.getTime(), untilMs: judge.getTime() + DAY_MS } : undefined)
      }),
      { numRuns: 500 },
    )
  })

  it('is never made of text that is nearly one', () => {
    const base = millisecond.map((ms) => new Date(ms).toISOString())
    const noise = fc.constantFrom(' ', 'x', '-', ':', '\n', '٣', '.', '+')
    fc.assert(
      fc.property(base, noise, fc.nat(24), (text, character, index) => {
        const parsed = parseMoment(text.slice(0, index) + character + text.slice(index))
        // A space or a T may part date and time; nothing else may be added anywhere.
        expect(parsed).toBeUndefined()
      }),
    )
  })

  it('is never made of any other text, and nothing is ever thrown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        if (!/^\d{4}-\d{2}-\d{2}/.test(text)) expect(parseMoment(text)).toBeUndefined()
      }),
    )
  })
})

describe('a period', () => {
  it('holds both its ends, and is empty exactly where they are the wrong way round', () => {
    fc.assert(
      fc.property(millisecond, millisecond, (start, end) => {
        const text = { start: new Date(start).toISOString(), end: new Date(end).toISOString() }
        const result = readPeriod(text, 0)
        const untilMs = start > end ? start : end + 1
        expect(result).toEqual({ ok: true, period: { fromMs: start, untilMs } })
      }),
    )
  })
})
