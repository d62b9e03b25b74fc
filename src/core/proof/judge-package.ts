import type { ProofDeps } from '../tlog/index.js'
import { type AuditEnd, type AuditLine, parseAuditLine, readAuditHeader } from './audit-package.js'
import { createChain } from './judge-chain.js'
import type { AuditOptions, DocumentJudgement } from './judge-document.js'
import { type CheckpointView, viewCheckpoint } from './judge-log.js'
import { judgeErased, judgeReceipt, type ReceiptJudgement } from './judge-receipt.js'
import { type Check, type Verdict, verdictOf, worstOf } from './judgement.js'
import { followStatements } from './key-statements.js'
import { embeddedTerms } from './pins.js'
import type { AuditBytes, ReadDocument } from './read-document.js'
import { entryOf, readFacts } from './receipt-facts.js'

/** Receipts of a package that are told in full: the first that are not good. */
const receiptsListedMax = 100

type Tally = {
  readonly counts: Record<Verdict, number>
  readonly receipts: ReceiptJudgement[]
  readonly faults: Check[]
  range: { from: number; to: number } | null
  end: AuditEnd | null
}

/** Judges an audit package line by line, in memory that does not grow with it. */
export async function judgePackage(
  deps: ProofDeps,
  options: AuditOptions,
  file: Extract<ReadDocument, { kind: 'package' }>,
): Promise<DocumentJudgement> {
  const read = readAuditHeader(file.header)
  const tally: Tally = {
    counts: { good: 0, bad: 0, undecided: 0, unwitnessed: 0 },
    receipts: [],
    faults: [],
    ...{ range: null, end: null },
  }
  if (!read.ok) return conclude(tally, false, [{ name: 'text', status: 'failed', detail: read.detail }])
  const { origin, checkpoint, statements, endLine } = read.header
  const pinned = options.trustEmbedded ? embeddedTerms(deps, options, file.header) : { ...options, embedded: false }
  const terms = { ...pinned, keys: await followStatements(deps, pinned.keys, statements) }
  const view = await viewCheckpoint(deps, terms.policy, checkpoint)
  await judgeLines(tally, file.lines, createLineJudge(deps, terms, view))
  if (tally.faults.length === 0) tally.faults.push(...judgeEnd(tally, endLine))
  const shown = view.checkpoint?.origin
  const mixed: readonly Check[] =
    shown === origin
      ? []
      : [{ name: 'origin', status: 'failed', detail: `It is of ${origin}, and its checkpoint of ${shown}.` }]
  return conclude(tally, terms.embedded, [...tally.faults, ...mixed, ...view.checks])
}

/** Up to the first line that is none. */
async function judgeLines(
  tally: Tally,
  lines: AsyncIterable<AuditBytes>,
  judge: (line: AuditLine) => Promise<ReceiptJudgement>,
): Promise<void> {
  let number = 1
  for await (const bytes of lines) {
    number += 1
    const refuse = (status: 'failed' | 'undecided', detail: string) =>
      tally.faults.push({ name: 'text', status, detail: `Line ${number}: ${detail}` })
    if (bytes === 'cut') return void refuse('undecided', 'It breaks off: the file was cut, or is still being written.')
    if (bytes === 'too-long') return void refuse('failed', 'It is too long.')
    if (tally.end !== null) return void refuse('failed', 'It stands behind the end.')
    const parsed = parseAuditLine(bytes)
    if (!parsed.ok) return void refuse('failed', parsed.detail)
    if ('end' in parsed) tally.end = parsed.end
    else add(tally, parsed.line.seq, await judge(parsed.line))
  }
}

/** Whether all is there that the last line counts; a package that promises one and lacks it was cut between two lines. */
function judgeEnd({ end, counts, range }: Tally, isPromised: boolean): readonly Check[] {
  const detail = 'Its last line, which counts the others, is missing: it was cut off.'
  if (end === null) return isPromised ? [{ name: 'text', status: 'undecided', detail }] : []
  const count = Object.values(counts).reduce((sum, some) => sum + some, 0)
  if (end.count === count && end.lastSeq === (range?.to ?? null)) return []
  const told = `${end.count} lines up to number ${end.lastSeq ?? 'none'}`
  const found = `${count} up to number ${range?.to ?? 'none'}`
  return [{ name: 'text', status: 'failed', detail: `Its last line counts ${told}, and it has ${found}.` }]
}

function createLineJudge(deps: ProofDeps, terms: AuditOptions, view: CheckpointView) {
  const chain = createChain()
  return async ({ seq, receipt, entry, place }: AuditLine): Promise<ReceiptJudgement> => {
    const index = place?.index ?? null
    if (receipt === null) {
      const erased = entry ?? new Uint8Array(0)
      return { ...judgeErased(deps, { entry: erased, view, place }, [chain({ seq, entry, index, facts: null })]), seq }
    }
    const own = entryOf(deps.sha256, receipt)
    const link = chain({ seq, entry: own, index, facts: readFacts(receipt) })
    return judgeReceipt(deps, terms, { receipt, view, place }, [link])
  }
}

function add(tally: Tally, seq: number, judgement: ReceiptJudgement): void {
  tally.counts[judgement.verdict] += 1
  tally.range = { from: tally.range?.from ?? seq, to: seq }
  if (judgement.verdict !== 'good' && tally.receipts.length < receiptsListedMax) tally.receipts.push(judgement)
}

function conclude(
  { counts, receipts, range }: Tally,
  trustsEmbedded: boolean,
  checks: readonly Check[],
): DocumentJudgement {
  const found = (Object.keys(counts) as Verdict[]).filter((verdict) => counts[verdict] > 0)
  const empty: readonly Check[] =
    found.length > 0 || checks.some(({ status }) => status === 'failed')
      ? []
      : [{ name: 'chain', status: 'undecided', detail: 'It holds no receipts.' }]
  const all = [...checks, ...empty]
  const verdict = worstOf([verdictOf(all), ...found])
  return { kind: 'package', verdict, trustsEmbedded, checks: all, counts, receipts, range }
}
