import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError } from '../../src/platform/errors.js'
import { RATE_LIMITS } from '../../src/platform/limits.js'
import { createRateLimit, type RateLimit } from '../../src/platform/rate-limit.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

async function use(limit: RateLimit, id: string, times = 1): Promise<void> {
  for (let count = 0; count < times; count++) await limit(id)
}

async function refusal(limit: RateLimit, id: string): Promise<AppError> {
  const error: unknown = await limit(id).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw new Error('there was no refusal')
  return error
}

describe('an allowance a minute', () => {
  test('lets through as many as it says, and then refuses', async () => {
    const limit = createRateLimit('a', 3, undefined, 'requests with one key')
    await use(limit, 'key', 3)
    const error = await refusal(limit, 'key')
    expect(error.code).toBe('too-many-requests')
    expect(error.message).toBe('More than 3 requests with one key a minute.')
  })

  test('is counted for each id alone', async () => {
    const limit = createRateLimit('b', 1, undefined, 'requests')
    await use(limit, 'one')
    await use(limit, 'other')
    await refusal(limit, 'one')
    await refusal(limit, 'other')
  })

  test('is counted for each limit alone', async () => {
    const perKey = createRateLimit('c', 1, undefined, 'requests')
    const perAddress = createRateLimit('d', 1, undefined, 'requests')
    await use(perKey, 'same')
    await use(perAddress, 'same')
    await refusal(perKey, 'same')
  })

  test('says after how many whole seconds to try again, and is fresh then', async () => {
    const limit = createRateLimit('e', 2, undefined, 'requests')
    await use(limit, 'key', 2)
    expect((await refusal(limit, 'key')).extras.retryAfterSeconds).toBe(60)
    await vi.advanceTimersByTimeAsync(40_500)
    const later = await refusal(limit, 'key')
    expect(later.extras.retryAfterSeconds).toBe(20)
    await vi.advanceTimersByTimeAsync(20_000)
    await use(limit, 'key', 2)
    await refusal(limit, 'key')
  })

  test('never asks to try again at once', async () => {
    const limit = createRateLimit('f', 1, undefined, 'requests')
    await use(limit, 'key')
    await vi.advanceTimersByTimeAsync(59_999)
    expect((await refusal(limit, 'key')).extras.retryAfterSeconds).toBe(1)
  })

  test('is kept for so many ids, and no more: those seen least recently are forgotten', async () => {
    const limit = createRateLimit('h', 1, undefined, 'requests')
    await use(limit, 'old')
    for (let id = 1; id < RATE_LIMITS.idsMax; id++) await use(limit, String(id))
    await refusal(limit, 'old')
    await use(limit, 'one more')
    await refusal(limit, 'old')
    await refusal(limit, String(RATE_LIMITS.idsMax - 1))
    await use(limit, '1')
  })

  test('is not exceeded by those who ask at the same time', async () => {
    const limit = createRateLimit('g', 5, undefined, 'requests')
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => limit('key')))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(5)
  })
})
