import { describe, expect, it } from 'vitest'
import { formatNoteKey } from '../../src/core/tlog/index.js'
import { measureLog } from '../../src/features/transparency/check/measure-log.js'
import { createSuspension } from '../../src/features/transparency/guard/suspension.js'
import { createLogSigner } from '../../src/features/transparency/log-key.js'
import { createPublished } from '../../src/features/transparency/published.js'
import { monotonicClock } from '../../src/platform/clock.js'
import { createMetrics } from '../../src/platform/metrics.js'

describe('the measures of a log', () => {
  function open() {
    const metrics = createMetrics()
    const published = createPublished(monotonicClock)
    const suspension = createSuspension(() => undefined)
    const world = { polled: null as { size: number; pending: number; waitingMs: number; hasWork: boolean } | null }
    measureLog(metrics, { polled: () => world.polled, published, suspension, waiting: () => 4 })
    const read = async (name: string) => {
      const { text } = await metrics.expose()
      return Number(new RegExp(`^llmring_log_${name} (\\S+)$`, 'm').exec(text)?.[1])
    }
    return { published, suspension, world, read }
  }

  it('are there before anything was looked at', async () => {
    const { read } = open()
    for (const name of [
      'pending_leaves',
      'waiting_seconds',
      'size',
      'checkpoint_age_seconds',
      'witnesses',
      'suspended',
    ]) {
      expect([name, await read(name)]).toEqual([name, 0])
    }
    expect(await read('waiting_requests')).toBe(4)
  })

  it('say what waits, what is published, and whether anything may be signed', async () => {
    const { published, suspension, world, read } = open()
    world.polled = { size: 90, pending: 7, waitingMs: 1_500, hasWork: true }
    published.advance({ size: 80, root: new Uint8Array(32), note: 'note', witnesses: 2 })
    suspension.bar('forked')
    expect(await read('pending_leaves')).toBe(7)
    expect(await read('waiting_seconds')).toBe(1.5)
    expect(await read('size')).toBe(80)
    expect(await read('witnesses')).toBe(2)
    expect(await read('suspended')).toBe(1)
    expect(await read('checkpoint_age_seconds')).toBeGreaterThanOrEqual(0)
  })
})

describe('the key of a log', () => {
  it('is the one of the worked example', () => {
    const seed = Uint8Array.from({ length: 32 }, (_, at) => at)
    expect(formatNoteKey(createLogSigner('receipts.example/log1', seed).key)).toBe(
      'receipts.example/log1+937a8fbe+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4',
    )
  })
})
