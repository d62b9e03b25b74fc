import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLifecycle } from '../../src/platform/lifecycle.js'
import type { Logger } from '../../src/platform/logger.js'

/** A logger that keeps what was an error. */
function recordingLogger() {
  const errors: { resource: string; error: { message: string } }[] = []
  const logger = { debug: () => undefined, error: (line: (typeof errors)[number]) => void errors.push(line) }
  return { logger: logger as unknown as Logger, errors }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  // The deadlines of the test end with it.
  vi.runOnlyPendingTimers()
  vi.useRealTimers()
})

describe('what was opened', () => {
  test('is closed in reverse, each after the one before', async () => {
    const { logger } = recordingLogger()
    const lifecycle = createLifecycle(logger)
    const events: string[] = []
    for (const name of ['database', 'listener', 'server']) {
      lifecycle.onClose(name, async () => {
        events.push(`${name} begins`)
        await Promise.resolve()
        events.push(`${name} ends`)
      })
    }
    await lifecycle.close()
    expect(events).toEqual([
      ...['server begins', 'server ends', 'listener begins', 'listener ends', 'database begins', 'database ends'],
    ])
  })

  test('is closed once, whoever asks and how often', async () => {
    const { logger } = recordingLogger()
    const lifecycle = createLifecycle(logger)
    const close = vi.fn()
    lifecycle.onClose('pool', close)
    await Promise.all([lifecycle.close(), lifecycle.close()])
    await lifecycle.close()
    expect(close).toHaveBeenCalledTimes(1)
  })

  test('is closed even where something newer cannot be, and the log says which', async () => {
    const { logger, errors } = recordingLogger()
    const lifecycle = createLifecycle(logger)
    const closed: string[] = []
    lifecycle.onClose('oldest', () => void closed.push('oldest'))
    lifecycle.onClose('rejects', () => Promise.reject(new Error('no')))
    lifecycle.onClose('throws', () => {
      throw new Error('never')
    })
    lifecycle.onClose('newest', () => void closed.push('newest'))
    await lifecycle.close()
    expect(closed).toEqual(['newest', 'oldest'])
    expect(errors.map((line) => [line.resource, line.error.message])).toEqual([
      ['throws', 'never'],
      ['rejects', 'no'],
    ])
  })

  test('does not wait for ever for something that does not close', async () => {
    const { logger, errors } = recordingLogger()
    const lifecycle = createLifecycle(logger, 1_000)
    const close = vi.fn()
    lifecycle.onClose('oldest', close)
    lifecycle.onClose('stuck', () => new Promise<never>(() => undefined))
    const closing = lifecycle.close()
    await vi.advanceTimersByTimeAsync(999)
    expect(close).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await closing
    expect(close).toHaveBeenCalledTimes(1)
    expect(errors).toEqual([expect.objectContaining({ resource: 'stuck' })])
  })

  test('while the rest is being closed is closed, too', async () => {
    const { logger } = recordingLogger()
    const lifecycle = createLifecycle(logger)
    const late = vi.fn()
    lifecycle.onClose('pool', () => lifecycle.onClose('opened late', late))
    await lifecycle.close()
    expect(late).toHaveBeenCalledTimes(1)
  })
})
