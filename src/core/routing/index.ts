export { type Backend, backendName, type Tier } from './backend.js'
export { backendsFor, isCalled } from './backends-for.js'
export {
  admitCall,
  type Breaker,
  type BreakerEvent,
  type BreakerSettings,
  type BreakerStatus,
  CLOSED_BREAKER,
  cooled,
  DEFAULT_BREAKER,
  NEXT_BREAKER_STATUS,
  openByHint,
  settleCall,
} from './breaker.js'
export { type Budget, createBudget } from './budget.js'
export { type Candidates, type RegistryFacts, resolveCandidates } from './candidates.js'
export { type Asked, classify, DEFAULT_TIER_LIMITS, tierOf } from './classify.js'
export { NO_CONSTRAINTS, readConstraints, readConstraintsText } from './constraints.js'
export { DRIFT_KINDS, type Drift, driftOf, isKnownTo } from './drift.js'
export {
  boundedThreshold,
  DEFAULT_THRESHOLD,
  feedbackStep,
  feedbackStepMax,
  type Judgement,
  learnedBounds,
  mixScores,
  thresholdMax,
  thresholdMin,
} from './feedback.js'
export { type Admission, createFleet, type Fleet, type RefusalReason } from './fleet.js'
export { chosenByHook, hookCandidates } from './hook-choice.js'
export { contextTokensOf, hasCapability, isChatModel } from './model-facts.js'
export { type Outcome, type Verdict, verdictOf } from './outcome.js'
export {
  beginAttempt,
  degradedMs,
  downMs,
  endAttempt,
  healthOf,
  IDLE_ENTRY,
  type PoolEntry,
  retryAfterMsMax,
} from './pool.js'
export { renderPrompt } from './prompt-template.js'
export { jaccard, questionCharsMax, questionForm } from './question-form.js'
export {
  DEFAULT_POLICY,
  type Demand,
  estimatedCost,
  type Policy,
  type Ranked,
  rank,
  STRATEGIES,
  type Strategy,
} from './rank.js'
export { readWorkflow } from './read-workflow.js'
export { parseReference } from './reference.js'
export { type Keyed, keyedCharsMax, type RequestKeys, requestKeys } from './request-key.js'
export { type CallOp, finalOutput, type OpResult, runWorkflow } from './run-workflow.js'
export { type Attempted, walk } from './walk.js'
export { suitableModels } from './wildcard.js'
export { WORKFLOW_LIMITS, type Workflow, type WorkflowOp } from './workflow.js'
