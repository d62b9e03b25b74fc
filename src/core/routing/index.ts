export { type Candidates, type RegistryFacts, resolveCandidates } from './candidates.js'
export { NO_CONSTRAINTS, readConstraints, readConstraintsText } from './constraints.js'
export { DRIFT_KINDS, type Drift, driftOf, isKnownTo } from './drift.js'
export { parseReference } from './reference.js'
