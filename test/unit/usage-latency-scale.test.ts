import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LATENCY_BASE, latencyOf, ZERO_BUCKET } from '../../src/features/usage/rollups/latency-scale.js'

it('what stands for a bucket is at most 2 % away from each latency in it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1_000_000_000, noNaN: true }), (ms) => {
      const bucket = Math.ceil(Math.log(ms) / Math.log(LATENCY_BASE))
      expect(Math.abs(latencyOf(bucket) - ms) / ms).toBeLessThan(0.02)
    }),
    { numRuns: 1_000 },
  )
})

it('of less than a microsecond is 0', () => expect(latencyOf(ZERO_BUCKET)).toBe(0))
