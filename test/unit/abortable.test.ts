import { describe, expect, it } from 'vitest'
import { whenAborted } from '../../src/platform/abortable.js'
import { SLICE_LIMITS } from '../../src/platform/limits.js'
import { eventually } from '../support/eventually.js'

/** Longer than one slice. */
function compute(): void {
  const until = performance.now() + SLICE_LIMITS.sliceMsMax + 1
  while (performance.now() < until);
}

describe('those who wait for a signal', () => {
  it('are all called back once, in slices: everything else gets its turn between them', async () => {
    const drain = new AbortController()
    const called: number[] = []
    for (let number = 0; number < 4; number++) {
      whenAborted(drain.signal, () => {
        compute()
        called.push(number)
      })
    }
    expect(called).toEqual([])
    drain.abort()
    expect(called).toEqual([0])
    await eventually(() => expect(called).toEqual([0, 1, 2, 3]))
    drain.abort()
    expect(called).toEqual([0, 1, 2, 3])
  })

  it('and take that back in the middle of it are not called', async () => {
    const drain = new AbortController()
    const called: string[] = []
    whenAborted(drain.signal, () => {
      compute()
      called.push('first')
    })
    const takeBack = whenAborted(drain.signal, () => called.push('taken back'))
    whenAborted(drain.signal, () => called.push('last'))
    drain.abort()
    takeBack()
    await eventually(() => expect(called).toEqual(['first', 'last']))
  })
})
