import type { ReceiptCheck } from './receipt-checks.js'

/**
 * How a check came out. `undecided`: what was given does not tell. `unwitnessed`: all that was given agrees, and fewer
 * witnesses have seen it than the policy asks for. `skipped`: it does not apply, or an earlier check leaves it nothing.
 */
export type CheckStatus = 'passed' | 'failed' | 'undecided' | 'unwitnessed' | 'skipped'

export type CheckName =
  | 'text'
  | ReceiptCheck['name']
  | 'key-period'
  | 'project'
  | 'origin'
  | 'checkpoint'
  | 'inclusion'
  | 'witnesses'
  | 'issued-at'
  | 'merge-delay'
  | 'members'
  | 'chain'
  | 'history'

/** One step of a judgement, in words that a person can act on. */
export type Check = { readonly name: CheckName; readonly status: CheckStatus; readonly detail: string }

/** What an auditor may conclude, from the worst to the best. */
const VERDICTS = ['bad', 'undecided', 'unwitnessed', 'good'] as const
export type Verdict = (typeof VERDICTS)[number]

export const VERDICT_WORDS: Record<Verdict, string> = {
  good: 'proven good',
  bad: 'proven bad',
  undecided: 'could not be decided',
  unwitnessed: 'consistent, but not witnessed enough',
}

const VERDICT_OF: Record<Exclude<CheckStatus, 'skipped'>, Verdict> = {
  failed: 'bad',
  undecided: 'undecided',
  unwitnessed: 'unwitnessed',
  passed: 'good',
}

/** The worst that any check says. Without a check that came out at all, nothing is decided. */
export function verdictOf(checks: readonly Check[]): Verdict {
  return worstOf(checks.flatMap(({ status }) => (status === 'skipped' ? [] : [VERDICT_OF[status]])))
}

export function worstOf(verdicts: readonly Verdict[]): Verdict {
  return VERDICTS.find((verdict) => verdicts.includes(verdict)) ?? 'undecided'
}

/** What each check is for, in plain words. */
export const CHECK_MEANINGS: Record<CheckName, string> = {
  text: 'The file is one clear text: two readers cannot take it for two different receipts.',
  structure: 'It is a receipt at all: it has an id and a signature.',
  canonical: 'It has exactly one sequence of bytes (RFC 8785) that a signature can cover.',
  key: 'The key that it names is one that you chose to trust.',
  'signature-encoding':
    'The signature is written in its only spelling, so that no second receipt can be made out of it.',
  signature: 'The holder of that key signed exactly these contents; one changed character would break it.',
  'key-period': 'The key was in use when the receipt says that it was issued.',
  project: 'It was issued to this project, and is not one of another project shown again.',
  origin: 'Receipt, proof and your policy speak of the same log.',
  checkpoint: 'The log signed the state of its tree that the proof leads to.',
  inclusion: 'The receipt is a leaf of that tree: it cannot be changed or removed without changing the root.',
  witnesses: 'Others than the operator saw this tree grow, so the operator cannot show you a tree of your own.',
  'issued-at': 'Witnesses saw it in the log when it says that it was issued, so it was not made later and dated back.',
  'merge-delay': 'It came into the log within the time that it promises.',
  members: 'The batch receipt commits to this logged call.',
  chain: 'The receipts of the project are counted without a gap, and each names the one before it.',
  history: 'Nothing that you hold contradicts it: no other tree of the same size, no other receipt of the same number.',
}
