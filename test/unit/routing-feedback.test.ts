import { describe, expect, it, test } from 'vitest'
import {
  boundedThreshold,
  DEFAULT_THRESHOLD,
  feedbackStep,
  feedbackStepMax,
  learnedBounds,
  mixScores,
  type Tier,
  thresholdMax,
  thresholdMin,
} from '../../src/core/routing/index.js'

const bounds = { tier1Max: 30, tier2Max: 70 }

describe('a judgement', () => {
  const ROWS: readonly (readonly [string, number, Tier, number, number])[] = [
    ['a perfect answer of tier 1 to the hardest prompt', 1, 1, 1, feedbackStepMax],
    ['a perfect answer of tier 1 to the easiest prompt', 0, 1, 1, 0],
    ['a useless answer of tier 1 to the easiest prompt', 0, 1, 0, -feedbackStepMax],
    ['a useless answer of tier 1 to the hardest prompt', 1, 1, 0, 0],
    ['a middling answer', 0.5, 1, 0.5, 0],
    ['a useless answer of tier 2', 0.5, 2, 0, -feedbackStepMax / 2],
    ['a perfect answer of tier 2', 0.9, 2, 1, 0],
    ['a useless answer of tier 3', 0.9, 3, 0, 0],
    ['numbers out of their bounds', 70, 1, 90, feedbackStepMax],
  ]
  test.each(ROWS)('%s', (_, score, tier, quality, step) => {
    expect(Math.abs(feedbackStep({ score, tier, quality }) - step)).toBeLessThan(1e-12)
  })

  it('moves the threshold by its step at most, and never out of its bounds', () => {
    let threshold = DEFAULT_THRESHOLD
    for (let index = 0; index < 1_000; index += 1) {
      const before = threshold
      threshold = boundedThreshold(threshold + feedbackStep({ score: 0.1, tier: 1, quality: 0 }))
      expect(Math.abs(threshold - before)).toBeLessThanOrEqual(feedbackStepMax)
    }
    expect(threshold).toBe(thresholdMin)
    expect(boundedThreshold(7)).toBe(thresholdMax)
  })
})

describe('the bounds of the tiers', () => {
  it('are what the operator configured as long as nothing was learned', () => {
    expect(learnedBounds(bounds, 0.5, 0.5)).toEqual(bounds)
    expect(learnedBounds(bounds, 0.4, 0.4)).toEqual(bounds)
  })

  it('move both with the threshold, and stay in order and between 0 and 100', () => {
    expect(learnedBounds(bounds, 0.6, 0.5).tier1Max).toBeCloseTo(40)
    expect(learnedBounds(bounds, 0.6, 0.5).tier2Max).toBeCloseTo(80)
    expect(learnedBounds({ tier1Max: 90, tier2Max: 95 }, 0.8, 0.5)).toEqual({ tier1Max: 99, tier2Max: 100 })
    expect(learnedBounds({ tier1Max: 5, tier2Max: 10 }, 0.2, 0.5)).toEqual({ tier1Max: 0, tier2Max: 0 })
  })
})

describe("a sidecar's score", () => {
  it('is mixed in by its weight', () => {
    expect(mixScores(20, 0.8, 0.75)).toBe(65)
    expect(mixScores(20, 0, 1)).toBe(0)
  })

  it('changes nothing where there is none, or none between 0 and 1', () => {
    for (const score of [undefined, Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY]) {
      expect(mixScores(20, score, 0.7)).toBe(20)
    }
  })
})
