import { entryName } from './audit-package.js'
import type { Check } from './judgement.js'
import type { ReceiptFacts } from './receipt-facts.js'

export type ChainLink = {
  readonly seq: number
  /** 32 bytes; null if the receipt has no canonical bytes. */
  readonly entry: Uint8Array | null
  /** Its place in the log; null while no checkpoint covers it. */
  readonly index: number | null
  /** Null for an erased receipt: its entry stays, and what it said is gone. */
  readonly facts: ReceiptFacts | null
}

type Behind = {
  readonly seq: number
  readonly entry: string | null
  readonly index: number | null
  readonly issuedAt: number | null
  readonly project: string | null
  /** Whether a receipt said its own number. */
  readonly counted: boolean
}

/** Takes a project's receipts in the order of the package, and says of each whether it continues the ones before. */
export function createChain(): (link: ChainLink) => Check {
  let behind: Behind | null = null
  return (link) => {
    const fault = faultOf(behind, link)
    const first = behind === null
    const issuedAt = link.facts?.issuedAt
    behind = {
      seq: link.seq,
      entry: link.entry === null ? null : entryName(link.entry),
      index: link.index ?? behind?.index ?? null,
      issuedAt: typeof issuedAt === 'number' ? issuedAt : (behind?.issuedAt ?? null),
      project: link.facts?.project ?? behind?.project ?? null,
      counted: behind?.counted === true || (link.facts !== null && link.facts.seq !== null),
    }
    if (fault !== null) return { name: 'chain', status: 'failed', detail: fault }
    if (isUncounted(link.facts)) return { name: 'chain', status: 'skipped', detail: UNCOUNTED }
    return { name: 'chain', status: 'passed', detail: continues(link, first) }
  }
}

const UNCOUNTED = 'It was issued before receipts were counted: its number was given later, and is not signed.'

const isUncounted = (facts: ReceiptFacts | null): boolean => facts !== null && facts.seq === null && facts.prev === null

function faultOf(behind: Behind | null, link: ChainLink): string | null {
  const { seq, index, facts } = link
  const own = isUncounted(facts) && behind?.counted !== true ? null : faultOfNumber(link)
  if (own !== null || behind === null) return own
  if (seq !== behind.seq + 1) return gapBetween(behind.seq, seq)
  if (index !== null && behind.index !== null && index <= behind.index) {
    return `It stands in the log before number ${behind.seq} (${index}, ${behind.index}): the order was changed.`
  }
  return facts === null || isUncounted(facts) ? null : faultOfFacts(behind, facts)
}

/** What is wrong with what a receipt says of its own place; an erased one says nothing. */
function faultOfNumber({ seq, facts }: ChainLink): string | null {
  if (facts !== null && facts.seq !== seq) return `Its line says number ${seq}, and the receipt ${facts.seq ?? 'none'}.`
  if (seq === 1 && facts !== null && facts.prev !== null) return 'It is the first of its project and names one before.'
  if (seq > 1 && facts !== null && facts.prev === null) return `It is number ${seq} and names no receipt before it.`
  return null
}

function faultOfFacts(behind: Behind, { prev, project, issuedAt }: ReceiptFacts): string | null {
  if (prev !== behind.entry) return `It names another receipt as number ${behind.seq} than the one that stands here.`
  if (behind.project !== null && project !== behind.project)
    return `It is of another project than number ${behind.seq}.`
  if (typeof issuedAt === 'number' && behind.issuedAt !== null && issuedAt < behind.issuedAt) {
    return `It says it was issued before number ${behind.seq}.`
  }
  return null
}

function gapBetween(last: number, seq: number): string {
  if (seq <= last) return `Number ${seq} stands behind number ${last}.`
  return seq === last + 2 ? `Number ${last + 1} is missing.` : `Numbers ${last + 1} to ${seq - 1} are missing.`
}

function continues({ seq, facts }: ChainLink, first: boolean): string {
  if (facts === null) return `Number ${seq} was erased; its entry stands for it.`
  if (first && seq > 1) return `Number ${seq}, the first of this file: number ${seq - 1} is not here to compare with.`
  return first ? 'Number 1 of its project.' : `Number ${seq}: it names number ${seq - 1}.`
}
