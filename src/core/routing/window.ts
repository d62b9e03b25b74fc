/** Into how many slices a window is cut: so many numbers stand for any number of calls. */
export const windowSlices = 10

type Slice = { readonly index: number; readonly calls: number; readonly failures: number }

/** Calls of the last while, counted in slices; at most `windowSlices` of them, the oldest first. */
export type Window = readonly Slice[]

export const NO_CALLS: Window = []

/**
 * The window with one more call. A clock that steps back counts into the newest slice that there is, so that the order
 * of the slices holds.
 */
export function countCall(
  slices: Window,
  { failed, nowMs, windowMs }: { readonly failed: boolean; readonly nowMs: number; readonly windowMs: number },
): Window {
  const last = slices.at(-1)
  const index = Math.max(sliceOf(nowMs, windowMs), last?.index ?? 0)
  const held = last?.index === index ? last : { index, calls: 0, failures: 0 }
  const kept = slices.filter((slice) => slice.index < index && slice.index > index - windowSlices)
  return [...kept, { index, calls: held.calls + 1, failures: held.failures + (failed ? 1 : 0) }]
}

/** The calls of the slice that runs now and of the nine before it: the window, but for less than a tenth of it. */
export function totalsIn(
  slices: Window,
  nowMs: number,
  windowMs: number,
): { readonly calls: number; readonly failures: number } {
  const oldest = sliceOf(nowMs, windowMs) - windowSlices
  const counted = slices.filter(({ index }) => index > oldest)
  return {
    calls: counted.reduce((sum, { calls }) => sum + calls, 0),
    failures: counted.reduce((sum, { failures }) => sum + failures, 0),
  }
}

const sliceOf = (nowMs: number, windowMs: number): number => Math.floor(nowMs / (windowMs / windowSlices))
