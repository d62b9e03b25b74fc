export {
  type Candidate,
  type Candidates,
  hasWildcard,
  type RegistryFacts,
  resolveCandidates,
  type Unresolved,
} from './candidates.js'
export { changedLimits, changedPrices, type FactChange } from './compare-models.js'
export { type Constraints, NO_CONSTRAINTS, readConstraints, readConstraintsText } from './constraints.js'
export { DRIFT_KINDS, type Drift, type DriftRegistry, driftOf, isKnownTo } from './drift.js'
export { contextTokensOf, hasCapability, isChatModel } from './model-facts.js'
export { parseReference, type Reference, type ReferenceResult } from './reference.js'
export { resolveWildcard } from './wildcard.js'
