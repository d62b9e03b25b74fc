/** What a look at a log comes to. */
export type MonitorVerdict = 'good' | 'bad' | 'undecided' | 'unwitnessed'

/** Two signed notes that cannot both be of one log that only grows. */
export type Contradiction = {
  readonly first: string
  readonly second: string
  /** From the smaller to the larger tree, in base64: it leads to the larger root and to another smaller one. */
  readonly consistencyProof?: readonly string[]
}

/** Ends a look: the log is proven bad, or it could not be decided. */
export class Finding extends Error {
  override readonly name = 'Finding'
  readonly verdict: 'bad' | 'undecided'
  readonly contradiction: Contradiction | undefined

  constructor(verdict: 'bad' | 'undecided', message: string, contradiction?: Contradiction) {
    super(message)
    this.verdict = verdict
    this.contradiction = contradiction
  }
}
