import type { Tier } from './backend.js'

/** By how much one judgement moves the threshold, at most. */
export const feedbackStepMax = 0.02
/** However the judgements fall, some prompts stay easy and some hard. */
export const thresholdMin = 0.2
export const thresholdMax = 0.8
export const DEFAULT_THRESHOLD = 0.5

/** How a caller judged one answer: the score of its prompt and the answer's quality, 0 to 1, and the tier that gave it. */
export type Judgement = { readonly score: number; readonly tier: Tier; readonly quality: number }

/**
 * By how much a judgement moves the threshold: never by more than `feedbackStepMax`. A good answer of the first tier
 * says that it may be given harder prompts, the more so the harder this one was; a bad one that it was given too hard
 * ones, the more so the easier this one was. A bad answer of the second tier lowers it likewise. A good one of a higher
 * tier tells nothing about a lower one.
 */
export function feedbackStep({ score, tier, quality }: Judgement): number {
  const judged = 2 * bounded(quality, 0, 1) - 1
  if (tier === 3 || (tier === 2 && judged > 0)) return 0
  const weight = judged > 0 ? bounded(score, 0, 1) : 1 - bounded(score, 0, 1)
  return feedbackStepMax * judged * weight + 0
}

/** The threshold after a step, or as an operator wrote it, inside its bounds. */
export const boundedThreshold = (threshold: number): number => bounded(threshold, thresholdMin, thresholdMax)

export type TierBounds = { readonly tier1Max: number; readonly tier2Max: number }

/**
 * The bounds of the tiers (scores 0 to 100) under a learned threshold: both move with it, and at the threshold that the
 * operator configured they are what the operator configured.
 */
export function learnedBounds({ tier1Max, tier2Max }: TierBounds, threshold: number, configured: number): TierBounds {
  const shift = (boundedThreshold(threshold) - boundedThreshold(configured)) * 100
  const moved = bounded(tier1Max + shift, 0, 99)
  return { tier1Max: moved, tier2Max: bounded(tier2Max + shift, moved, 100) }
}

/** A score of 0 to 100 with a sidecar's score of 0 to 1 mixed in; a sidecar that told no such number changes nothing. */
export function mixScores(score: number, sidecar: number | undefined, weight: number): number {
  if (sidecar === undefined || !(sidecar >= 0 && sidecar <= 1)) return score
  return score * (1 - weight) + sidecar * 100 * weight
}

const bounded = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))
