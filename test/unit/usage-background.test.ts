import { describe, expect, it } from 'vitest'
import { createSinglePass } from '../../src/features/usage/rollups/single-pass.js'
import { eventually } from '../support/eventually.js'

describe('a single pass', () => {
  function createHeld() {
    const finishes: ((count: number | Error) => void)[] = []
    const pass = createSinglePass(
      () =>
        new Promise((resolve, reject) => {
          finishes.push((count) => (count instanceof Error ? reject(count) : resolve(count)))
        }),
    )
    return { pass, finishes }
  }

  it('runs alone: who asks meanwhile shares the one that follows', async () => {
    const { pass, finishes } = createHeld()
    const first = pass.run()
    const later = [pass.run(), pass.run()]
    expect(finishes).toHaveLength(1)
    finishes[0]?.(1)
    expect(await first).toBe(1)
    await eventually(() => expect(finishes).toHaveLength(2))
    finishes[1]?.(2)
    expect(await Promise.all(later)).toEqual([2, 2])
    expect(finishes).toHaveLength(2)
    void pass.run()
    expect(finishes).toHaveLength(3)
    finishes[2]?.(0)
  })

  it('that fails stops neither the one that follows nor the next one', async () => {
    const { pass, finishes } = createHeld()
    const first = pass.run()
    const second = pass.run()
    finishes[0]?.(new Error('away'))
    await expect(first).rejects.toThrow('away')
    await eventually(() => expect(finishes).toHaveLength(2))
    finishes[1]?.(5)
    expect(await second).toBe(5)
  })

  it('is idle after everything that was asked for, failures too', async () => {
    const { pass, finishes } = createHeld()
    await pass.idle()
    const first = pass.run().catch(() => 'failed')
    let idle = false
    const waiting = pass.idle().then(() => {
      idle = true
    })
    expect(idle).toBe(false)
    finishes[0]?.(new Error('away'))
    await waiting
    expect(await first).toBe('failed')
  })
})
