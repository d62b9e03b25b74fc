import {
  CHECK_MEANINGS,
  type Check,
  type CheckStatus,
  type DocumentJudgement,
  type ReceiptJudgement,
  VERDICT_WORDS,
  type Verdict,
} from '../core/proof/index.js'

const STATUS_WORDS: Record<CheckStatus, string> = {
  passed: 'Passed',
  failed: 'Failed',
  undecided: 'Not decided',
  unwitnessed: 'Too few witnesses',
  skipped: 'Not checked',
}

const ADVICE: Record<Verdict, string> = {
  good: 'It was signed by a key that you chose, it is in the log that you chose, and as many witnesses as your policy asks for have seen that log.',
  bad: 'What was given contradicts itself or your keys. The checks that failed say where.',
  undecided: 'What was given does not tell. The checks that are not decided say what is missing.',
  unwitnessed: 'Everything agrees, but fewer witnesses than your policy asks for have seen this log.',
}

/** Shows a judgement below `place`. Texts of strangers are set as text, never as markup. */
export function showJudgement(place: HTMLElement, judgement: DocumentJudgement): void {
  const { verdict, kind, checks, receipts, trustsEmbedded, counts, range } = judgement
  place.dataset['verdict'] = verdict
  place.replaceChildren(heading(verdict), element('p', ADVICE[verdict]))
  if (trustsEmbedded) {
    const warning = element('p', 'The keys came with the file: whoever made the file chose whom to rely on.')
    warning.className = 'warning'
    place.append(warning)
  }
  if (kind === 'package') {
    const numbers = range === null ? '' : ` Numbers ${range.from} to ${range.to}.`
    const parts = (Object.keys(VERDICT_WORDS) as Verdict[]).filter((one) => counts[one] > 0)
    const told = parts.map((one) => `${counts[one]} ${VERDICT_WORDS[one]}`).join(', ')
    place.append(element('p', `An audit package.${numbers} ${told === '' ? 'No receipt was judged' : told}.`))
  }
  if (checks.length > 0) place.append(checkList(checks))
  for (const receipt of receipts) place.append(element('h3', titleOf(receipt)), checkList(receipt.checks))
}

/** Says that nothing could be judged, and why. */
export function showTrouble(place: HTMLElement, detail: string): void {
  place.dataset['verdict'] = 'none'
  place.replaceChildren(element('h2', 'Nothing was verified'), element('p', detail))
}

function heading(verdict: Verdict): HTMLElement {
  const title = element('h2', VERDICT_WORDS[verdict])
  title.className = `verdict ${verdict}`
  return title
}

function titleOf({ receiptId, project, seq, issuedAt, erased }: ReceiptJudgement): string {
  const parts = [
    erased ? 'An erased receipt' : `Receipt ${receiptId ?? 'without an id'}`,
    seq === null ? null : `number ${seq}`,
    project === null ? null : `of project ${project}`,
    issuedAt === null ? null : `issued at ${issuedAt}`,
  ]
  return parts.filter((part) => part !== null).join(', ')
}

function checkList(checks: readonly Check[]): HTMLElement {
  const list = element('ul')
  list.className = 'checks'
  list.append(
    ...checks.map(({ name, status, detail }) => {
      const item = element('li')
      item.className = status
      item.dataset['check'] = name
      const mark = element('strong', STATUS_WORDS[status])
      const meaning = element('small', CHECK_MEANINGS[name])
      item.append(mark, element('code', name), element('span', detail), meaning)
      return item
    }),
  )
  return list
}

function element(tag: string, text = ''): HTMLElement {
  const made = document.createElement(tag)
  made.textContent = text
  return made
}
