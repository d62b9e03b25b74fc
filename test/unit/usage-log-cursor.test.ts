import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type CursorScope, logCursors } from '../../src/features/usage/read/log-cursor.js'

const PROJECT = '019a0000-0000-7000-8000-000000000001' as ProjectId
const OTHER = '019a0000-0000-7000-8000-000000000002' as ProjectId
const POSITION = { loggedAt: '2026-03-15T12:00:00.001Z', id: '019a0000-0000-7000-8000-00000000000a' }
const WALK: CursorScope = {
  order: 'newest-first',
  projectId: PROJECT,
  period: { fromMs: 0, untilMs: 1_000 },
  filter: { model: 'a' },
}

describe('a cursor of usage', () => {
  test('gives back every position that it was made of', () => {
    const ms = fc.integer({ min: 0, max: 253_402_300_799_999 })
    fc.assert(
      fc.property(ms, fc.uuid(), (at, id) => {
        const cursors = logCursors(WALK)
        const position = { loggedAt: new Date(at).toISOString(), id }
        expect(cursors.read(cursors.write(position))).toEqual(position)
      }),
    )
  })

  test('may be given back for a period that ends later', () => {
    const cursor = logCursors(WALK).write(POSITION)
    const later = logCursors({ ...WALK, period: { fromMs: 0, untilMs: 2_000 } })
    expect(later.read(cursor)).toEqual(POSITION)
  })

  const strangers: readonly (readonly [string, Partial<CursorScope>])[] = [
    ['another project', { projectId: OTHER }],
    ['the other order', { order: 'oldest-first' }],
    ['another start', { period: { fromMs: 1, untilMs: 1_000 } }],
    ['no filter', { filter: {} }],
    ['another filter of that name', { filter: { model: 'b' } }],
    ['another member of that value', { filter: { alias: 'a' } }],
    ['one filter more', { filter: { model: 'a', provider: 'p' } }],
  ]
  test.each(strangers)('is none of a walk of %s', (_, changes) => {
    const cursor = logCursors(WALK).write(POSITION)
    expect(() => logCursors({ ...WALK, ...changes }).read(cursor)).toThrow('cursor of a page before')
  })

  test.each(['', 'x', 'bnVsbA', 'W10', 'WyJ4IiwxLDJd'])('is not the text %j', (text) => {
    expect(() => logCursors(WALK).read(text)).toThrow('cursor of a page before')
  })
})
