import { join } from 'node:path'

/** The key of the log, in the same case. */
export function logKeyFile(dataDir: string): string {
  return join(dataDir, 'tlog-key')
}

/** The newest checkpoint that this instance knows, unless the settings name another place. */
export function logGuardFile(dataDir: string): string {
  return join(dataDir, 'tlog-guard')
}

/** The receipts key before that one, until a start has stated the new one. */
export function previousReceiptsKeyFile(dataDir: string): string {
  return join(dataDir, 'receipts-key-previous')
}

/** The receipts key of an installation that was given none: generated into the data directory at the first start. */
export function receiptsKeyFile(dataDir: string): string {
  return join(dataDir, 'receipts-key')
}
