import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createProblemOf } from '../../src/http/create-app.js'
import { createRefusalLines } from '../../src/http/listen/refusal-lines.js'
import { AppError } from '../../src/platform/errors.js'
import type { Logger } from '../../src/platform/logger.js'

let lines: { message: string; fields: Record<string, unknown> }[]
const logger = {
  info: (fields: Record<string, unknown>, message: string) => void lines.push({ message, fields }),
  warn: (fields: Record<string, unknown>, message: string) => void lines.push({ message, fields }),
} as unknown as Logger

beforeEach(() => {
  lines = []
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the lines of refused requests', () => {
  test('are written up to so many a second, and the rest of it is summed up in one', () => {
    const refusals = createRefusalLines(logger, 10)
    for (let count = 0; count < 800; count++) refusals.write({ count }, 'key-unknown')
    for (let count = 0; count < 22; count++) refusals.write({ count }, 'not-found')
    expect(lines).toHaveLength(10)
    vi.advanceTimersByTime(1_000)
    expect(lines).toHaveLength(11)
    expect(lines.at(-1)).toEqual({
      message: 'and 812 more refused requests',
      fields: { more: 812, kinds: { 'key-unknown': 790, 'not-found': 22 } },
    })
  })

  test('are all written where they are few, without a sum', () => {
    const refusals = createRefusalLines(logger, 10)
    for (let second = 0; second < 5; second++) {
      for (let count = 0; count < 10; count++) refusals.write({ second, count }, 'not-found')
      vi.advanceTimersByTime(1_000)
    }
    expect(lines.map((line) => line.message)).toEqual(Array(50).fill('request'))
  })

  test('are summed up anew in every second', () => {
    const refusals = createRefusalLines(logger, 1)
    for (const count of [3, 5]) {
      for (let index = 0; index < count; index++) refusals.write({}, 'key-unknown')
      vi.advanceTimersByTime(1_000)
    }
    const sums = lines.filter((line) => line.message !== 'request').map((line) => line.fields['more'])
    expect(sums).toEqual([2, 4])
  })
})

test('the warnings of a dependency that is away are bounded, too', () => {
  const away = new AppError('database-unavailable', 'The database does not answer right now.')
  const problemOf = createProblemOf({ logger, explain: () => away })
  for (let count = 0; count < 500; count++) expect(problemOf(new Error('lost'), 'r')).toBe(away)
  vi.advanceTimersByTime(1_000)
  expect(lines.map((line) => line.message)).toEqual([
    ...Array(10).fill('dependency failed'),
    'and 490 more failures of a dependency',
  ])
})

test('a failure that a verb has put into words already is logged with its cause, so that the log says which it was', () => {
  const away = new AppError('database-unavailable', 'The database does not answer right now.')
  const problemOf = createProblemOf({ logger, explain: (error) => (error === lost ? away : undefined) })
  const lost = Object.assign(new Error('database "d" does not exist'), { code: '3D000' })
  const worded = new AppError('database-unavailable', 'Nothing was written.', { cause: lost })
  expect(problemOf(worded, 'r')).toBe(worded)
  expect(lines).toEqual([
    {
      message: 'dependency failed',
      fields: { request_id: 'r', error: { name: 'Error', message: lost.message, code: '3D000' } },
    },
  ])
  for (const cause of [undefined, new Error('no trouble of a dependency')]) {
    problemOf(new AppError('conflict', 'Taken.', cause === undefined ? {} : { cause }), 'r')
  }
  expect(lines).toHaveLength(1)
})
