/**
 * A logarithmic scale: bucket `n` holds the latencies above `LATENCY_BASE ** (n - 1)` milliseconds, up to and with
 * `LATENCY_BASE ** n`, so that its middle is at most 2 % away from each (DDSketch, Masson et al., VLDB 2019). Counts of
 * buckets are added; percentiles of what was added are as near as those of one.
 */
export const LATENCY_BASE = 1.04
/** What takes less than a microsecond. */
export const ZERO_BUCKET = -32_768

/** What stands for all latencies of a bucket, in milliseconds, with four digits that count. */
export function latencyOf(bucket: number): number {
  if (bucket === ZERO_BUCKET) return 0
  return Number(((2 * LATENCY_BASE ** bucket) / (LATENCY_BASE + 1)).toPrecision(4))
}
