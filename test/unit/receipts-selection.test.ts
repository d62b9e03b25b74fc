import { describe, expect, it } from 'vitest'
import { GenerateBody } from '../../src/features/receipts/batch/batch-schema.js'
import { readSelection } from '../../src/features/receipts/batch/read-selection.js'
import { readPeriod } from '../../src/features/usage/period.js'
import { AppError } from '../../src/platform/errors.js'
import { loggedUsage } from './receipts-usage-fixtures.js'

const read = (body: object) => readSelection(GenerateBody.parse(body), (text) => readPeriod(text, 0))
const ID = loggedUsage(0).id

/** The pointer of the refusal; empty where it is about the whole. */
function refusalOf(body: object): string {
  try {
    read(body)
  } catch (error) {
    if (error instanceof AppError) return error.extras.errors?.[0]?.pointer ?? ''
    throw error
  }
  throw new Error('It was taken.')
}

describe('what is to be certified', () => {
  it('is said in one of three ways', () => {
    expect(read({ log_ids: [ID] })).toEqual({ kind: 'ids', ids: [ID] })
    expect(read({ since_last_receipt: true })).toEqual({ kind: 'since-last' })
    expect(read({ start_date: '2026-01-01', end_date: '2026-01-31' })).toEqual({
      kind: 'period',
      period: { fromMs: Date.parse('2026-01-01T00:00:00Z'), untilMs: Date.parse('2026-02-01T00:00:00Z') },
    })
  })

  it('takes null and false for absent, as clients in the field send them', () => {
    const nothing = {
      log_ids: null,
      start_date: null,
      end_date: null,
      since_last_receipt: false,
      conversation_id: null,
    }
    expect(read({ ...nothing, log_ids: [ID], description: null, tags: null })).toMatchObject({ kind: 'ids' })
    expect(read({ ...nothing, start_date: '2026-01-01T10:00:00', end_date: '2026-01-01T11:00:00+02:00' })).toEqual({
      kind: 'period',
      // Python's isoformat() of a naive time: UTC. The end is before it.
      period: { fromMs: Date.parse('2026-01-01T10:00:00Z'), untilMs: Date.parse('2026-01-01T10:00:00Z') },
    })
  })

  it.each([
    [{}],
    [{ since_last_receipt: false }],
    [{ since_last_receipt: true, log_ids: [ID] }],
    [{ since_last_receipt: true, start_date: '2026-01-01', end_date: '2026-01-31' }],
    [{ log_ids: [ID], start_date: '2026-01-01', end_date: '2026-01-31' }],
    [{ log_ids: [ID], end_date: '2026-01-31' }],
  ])('is refused as a whole unless it is exactly one: %j', (body) => {
    expect(refusalOf(body)).toBe('')
  })

  it.each([
    [{ start_date: '2026-01-01' }, '/end_date'],
    [{ end_date: '2026-01-01' }, '/start_date'],
    [{ start_date: 'yesterday', end_date: '2026-01-01' }, '/start_date'],
    [{ start_date: '2026-01-01', end_date: '2026-13-01' }, '/end_date'],
    [{ start_date: '2026-01-01', end_date: '1e9' }, '/end_date'],
  ])('is refused at the date that is wrong: %j', (body, pointer) => {
    expect(refusalOf(body)).toBe(pointer)
  })

  it.each([
    { log_ids: [] },
    { log_ids: ['x'] },
    { log_ids: ID },
    { log_ids: Array.from({ length: 10_001 }, () => ID) },
    { since_last_receipt: 'yes' },
    { start_date: '' },
    { end_date: 7 },
    { conversation_id: ID },
    { description: 'x'.repeat(1_025) },
    { description: '\0' },
    { tags: 'billing' },
    { tags: [''.padEnd(65, 'x')] },
    { tags: Array.from({ length: 17 }, () => 'x') },
    { tags: ['\udc00'] },
  ])('is no request with a member of another kind: %o', (change) => {
    expect(GenerateBody.safeParse({ since_last_receipt: true, ...change }).success).toBe(false)
  })
})
