import type { ProjectId } from '../../../access/principal.js'
import { feedbackStep, type Judgement, learnedBounds } from '../../../core/routing/index.js'
import type { JudgeDeps } from './judge-request.js'
import type { Thresholds } from './thresholds.js'

export type FeedbackDeps = { readonly thresholds: Pick<Thresholds, 'move'>; readonly judging: JudgeDeps }

export type Learned = { readonly threshold: number; readonly tier1_max: number; readonly tier2_max: number }

/** Lets a caller's judgement of an answer move the project's threshold, and tells where the tiers end then. */
export async function giveFeedback(
  { thresholds, judging }: FeedbackDeps,
  projectId: ProjectId,
  judgement: Judgement,
): Promise<Learned> {
  const threshold = await thresholds.move(projectId, feedbackStep(judgement))
  const { tier1Max, tier2Max } = learnedBounds(judging, threshold, judging.threshold)
  const rounded = (value: number): number => Math.round(value * 1_000_000) / 1_000_000
  return { threshold: rounded(threshold), tier1_max: rounded(tier1Max), tier2_max: rounded(tier2Max) }
}
