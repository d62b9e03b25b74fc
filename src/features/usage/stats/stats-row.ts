/** One line of the stats statement. Counts and sums are decimal text: they are exact. */
export type StatsRow = {
  readonly kind: 'summary' | 'period' | 'model' | 'origin' | 'alias'
  /** The number of the part of the period, or the name; null in the summary. */
  readonly name: string | null
  readonly requests: string
  readonly cost: string
  /** These three are '0' of a period. */
  readonly inputTokens: string
  readonly outputTokens: string
  readonly unpriced: string
  /** Of the summary: requests that are added up under `(other)`, since too many names occurred together. */
  readonly folded: string
  /** How many names of this kind there are, those folded into the last line included. */
  readonly names: string
  /** Of a period. */
  readonly topModel: string | null
}
