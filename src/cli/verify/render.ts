import {
  CHECK_MEANINGS,
  type Check,
  type CheckStatus,
  type DocumentJudgement,
  type ReceiptJudgement,
  type SelfTestResult,
  VERDICT_WORDS,
  type Verdict,
} from '../../core/proof/index.js'

export type JudgedFile = { readonly file: string; readonly judgement: DocumentJudgement }

const MARK: Record<CheckStatus, string> = {
  passed: 'ok',
  failed: 'BAD',
  undecided: '?',
  unwitnessed: 'few',
  skipped: '-',
}

/** What a person reads about one file. */
export function renderFile({ file, judgement }: JudgedFile, { explain }: { readonly explain: boolean }): string {
  const { verdict, kind, checks, receipts, trustsEmbedded } = judgement
  const lines = [`${shown(file)}: ${VERDICT_WORDS[verdict]}`]
  if (trustsEmbedded) lines.push('  Its own keys were believed: whoever made the file chose whom to rely on.')
  if (kind === 'package') lines.push(`  ${packageLine(judgement)}`)
  lines.push(...checks.flatMap((check) => checkLines(check, explain)))
  for (const receipt of receipts) {
    lines.push(`  ${receiptLine(receipt)}`)
    // Of a package only what is wrong: its receipts share the rest.
    const told = kind === 'package' ? receipt.checks.filter(isTrouble) : receipt.checks
    lines.push(...told.flatMap((check) => checkLines(check, explain)))
  }
  return `${lines.join('\n')}\n`
}

/** One line for many files. */
export function renderSummary(judged: readonly JudgedFile[]): string {
  const found = (Object.keys(VERDICT_WORDS) as Verdict[]).map((verdict) => ({
    verdict,
    files: judged.filter(({ judgement }) => judgement.verdict === verdict).length,
  }))
  const parts = found.filter(({ files }) => files > 0).map(({ verdict, files }) => `${files} ${VERDICT_WORDS[verdict]}`)
  return `\n${judged.length} files: ${parts.join(', ')}.\n`
}

/** The same for programs. */
export function renderJson(verdict: Verdict, exitCode: number, judged: readonly JudgedFile[]): string {
  const files = judged.map(({ file, judgement }) => ({
    file,
    verdict: judgement.verdict,
    kind: judgement.kind,
    trust: judgement.trustsEmbedded ? 'embedded' : 'pinned',
    checks: judgement.checks,
    counts: judgement.counts,
    range: judgement.range,
    receipts: judgement.receipts.map(({ receiptId, issuedAt, ...rest }) => ({
      receipt_id: receiptId,
      issued_at: issuedAt,
      ...rest,
    })),
  }))
  return `${JSON.stringify({ verdict, exit_code: exitCode, files })}\n`
}

export function renderSelfTest(results: readonly SelfTestResult[]): string {
  const lines = results.map(({ ok, name, detail }) => `${ok ? 'ok ' : 'BAD'} ${name}${ok ? '' : `: ${detail}`}`)
  const failed = results.filter(({ ok }) => !ok).length
  return `${lines.join('\n')}\n${failed === 0 ? 'Every published vector holds.' : `${failed} vectors do not hold.`}\n`
}

const isTrouble = ({ status }: Check): boolean => status !== 'passed' && status !== 'skipped'

function checkLines({ name, status, detail }: Check, explain: boolean): readonly string[] {
  const line = `  ${MARK[status].padEnd(3)} ${name.padEnd(18)} ${shown(detail)}`
  return explain ? [line, `${' '.repeat(25)}${CHECK_MEANINGS[name]}`] : [line]
}

function packageLine({ counts, range, receipts }: DocumentJudgement): string {
  const numbers = range === null ? 'An audit package' : `An audit package, numbers ${range.from} to ${range.to}`
  const parts = (Object.keys(VERDICT_WORDS) as Verdict[])
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${VERDICT_WORDS[verdict]}`)
  const troubled = counts.bad + counts.undecided + counts.unwitnessed
  const more = troubled > receipts.length ? ` The first ${receipts.length} that are not good follow.` : ''
  return `${numbers}: ${parts.length === 0 ? 'nothing could be judged' : parts.join(', ')}.${more}`
}

function receiptLine({ receiptId, project, seq, issuedAt, erased }: ReceiptJudgement): string {
  const what = erased ? 'An erased receipt' : `Receipt ${receiptId === null ? 'without an id' : shown(receiptId)}`
  const number = seq === null ? '' : `, number ${seq}`
  const whose = project === null ? '' : ` of project ${shown(project)}`
  return `${what}${number}${whose}${issuedAt === null ? '' : `, issued at ${issuedAt}`}`
}

/** A text of a stranger for a terminal: its control characters do nothing there. */
function shown(text: string): string {
  return text.replace(/\p{C}/gu, '�')
}
