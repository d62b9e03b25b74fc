import type { Checkpoint } from '../tlog/index.js'
import { entryName } from './audit-package.js'
import type { Check } from './judgement.js'
import type { ReceiptFacts } from './receipt-facts.js'

/** Receipts remembered, of all projects; those that come later are compared with them and not remembered. */
const receiptsRememberedMax = 200_000
const checkpointsRememberedMax = 10_000

/**
 * What an auditor has seen so far, of whatever files: signed statements only, so that one cannot be framed by papers
 * that it never signed. Each gives what contradicts it: a failed check, or null.
 */
export type History = {
  readonly checkpoint: (checkpoint: Checkpoint) => Check | null
  readonly receipt: (facts: ReceiptFacts, entry: Uint8Array) => Check | null
}

type Known = { readonly entry: string; readonly prev: string | null }

export function createHistory(): History {
  const roots = new Map<string, string>()
  const receipts = new Map<string, Known>()
  return {
    checkpoint: ({ origin, size, root }) => {
      const key = `${origin}\n${size}`
      const known = roots.get(key)
      const name = entryName(root)
      if (known === undefined && roots.size < checkpointsRememberedMax) roots.set(key, name)
      if (known === undefined || known === name) return null
      return contradiction(
        `${origin} signed two trees of ${size} entries with different roots: it shows two histories.`,
      )
    },
    receipt: (facts, entry) => {
      const { issuer, project, seq, prev } = facts
      if (seq === null || project === null) return null
      const at = (number: number): string => JSON.stringify([issuer, project, number])
      const own: Known = { entry: entryName(entry), prev }
      const known = receipts.get(at(seq))
      if (known === undefined && receipts.size < receiptsRememberedMax) receipts.set(at(seq), own)
      if (known !== undefined && known.entry !== own.entry) {
        return contradiction(`There are two different receipts with number ${seq} of project ${project}.`)
      }
      const before = receipts.get(at(seq - 1))
      const after = receipts.get(at(seq + 1))
      if (before !== undefined && prev !== before.entry) return contradiction(broken(seq, seq - 1))
      return after !== undefined && after.prev !== own.entry ? contradiction(broken(seq + 1, seq)) : null
    },
  }
}

const broken = (seq: number, before: number): string =>
  `Number ${seq} names another number ${before} than the one shown.`
const contradiction = (detail: string): Check => ({ name: 'history', status: 'failed', detail })
