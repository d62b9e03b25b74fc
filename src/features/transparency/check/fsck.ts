import type { NoteKey } from '../../../core/tlog/index.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import { type CheckDeps, type CheckedLog, checkLog, type LogFinding } from './check-log.js'
import { checkReceipts, type PageEntries } from './check-receipts.js'
import type { CheckStore } from './check-store.js'

export type FsckReport = CheckedLog & {
  readonly receipts: number
  readonly ok: boolean
  /** The first of them, and how many there are. */
  readonly findings: readonly LogFinding[]
  readonly faults: number
}

export type FsckDeps = {
  readonly store: CheckStore
  readonly logKey: NoteKey | null
  readonly pageEntries: PageEntries
  readonly onProgress: CheckDeps['onProgress']
}

/** Checks the whole log against itself, and every receipt against the log, in constant memory. Changes nothing. */
export async function fsck({ store, logKey, pageEntries, onProgress }: FsckDeps): Promise<FsckReport> {
  const findings: LogFinding[] = []
  let faults = 0
  const find = (finding: LogFinding): void => {
    faults += 1
    if (findings.length < TRANSPARENCY_LIMITS.findingsShownMax) findings.push(finding)
  }
  const deps = { store, logKey, find, onProgress }
  const checked = await checkLog(deps)
  const receipts = await checkReceipts(deps, checked.entries, pageEntries)
  return { ...checked, receipts, ok: faults === 0, findings, faults }
}
