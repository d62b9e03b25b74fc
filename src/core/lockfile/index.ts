export { LOCKFILE_LIMITS, type LockfileLimits } from './limits.js'
export { type BindingTexts, bindingTexts, type LockDigests, lockDigests, type ProfileTexts } from './lock-digest.js'
export type { LockBinding, Lockfile, LockfileFormat, LockHeader, LockProfile } from './lockfile.js'
export type { LockfileProblem } from './notes.js'
export { canonicalText, type LockfileOptions, type LockfileResult, parseLockfile } from './parse-lockfile.js'
export { renderDifferences } from './render-differences.js'
export { renderLockfile } from './render-lockfile.js'
export {
  differentProfiles,
  headerOf,
  headerText,
  isoTime,
  newHeader,
  parseHeader,
  type StoredHeader,
} from './stored-header.js'
