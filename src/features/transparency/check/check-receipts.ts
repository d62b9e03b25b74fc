import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { CheckDeps } from './check-log.js'

/** What the log should hold of a receipt. */
type ReceiptEntry = {
  /** For people: its project and its id. */
  readonly name: string
  /** In hexadecimal digits. */
  readonly entry: string
  /** Whether the entry is the hash of the receipt that is kept. */
  readonly isOwn: boolean
}

/** A page of receipts' entries behind a cursor; null at the end. */
export type PageEntries = (
  after: string | null,
  receiptsMax: number,
) => Promise<{ readonly entries: readonly ReceiptEntry[]; readonly next: string | null }>

/** Whether every receipt is in the log, or about to be. Gives how many there are. */
export async function checkReceipts(deps: CheckDeps, entries: number, pageEntries: PageEntries): Promise<number> {
  let receipts = 0
  let after: string | null = null
  do {
    const page = await pageEntries(after, TRANSPARENCY_LIMITS.checkEntriesMax)
    const names = new Map(page.entries.map(({ entry, name }) => [entry, name]))
    for (const { name, isOwn } of page.entries) {
      if (!isOwn) deps.find({ kind: 'receipt-entry-wrong', detail: `Receipt ${name} is not what its entry says.` })
    }
    for (const entry of await deps.store.findStrangers([...names.keys()])) {
      deps.find({ kind: 'receipt-not-logged', detail: `Receipt ${names.get(entry)} is not in the log (${entry}).` })
    }
    receipts += page.entries.length
    deps.onProgress({ entries, receipts })
    after = page.next
  } while (after !== null)
  return receipts
}
