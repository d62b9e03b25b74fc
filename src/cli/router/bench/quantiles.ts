/** Milliseconds that half, 95 and 99 of 100 calls took at most. */
export type Quantiles = { readonly p50: number; readonly p95: number; readonly p99: number }

/** By nearest rank, each rounded to a microsecond. `taken` is not empty. */
export function quantilesOf(taken: readonly number[]): Quantiles {
  const sorted = [...taken].sort((one, other) => one - other)
  const at = (share: number) => rounded(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** What one way takes more than another, quantile by quantile. */
export const addedTo = (direct: Quantiles, way: Quantiles): Quantiles => ({
  p50: rounded(way.p50 - direct.p50),
  p95: rounded(way.p95 - direct.p95),
  p99: rounded(way.p99 - direct.p99),
})

export const medianOf = (values: readonly number[]): number => quantilesOf(values).p50

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000
