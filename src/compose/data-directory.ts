import { join } from 'node:path'

/** The receipts key of an installation that was given none: generated into the data directory at the first start. */
export function receiptsKeyFile(dataDir: string): string {
  return join(dataDir, 'receipts-key')
}
