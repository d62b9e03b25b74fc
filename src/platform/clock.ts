/** Milliseconds. A dependency, so that tests decide what time it is. */
export type Clock = () => number

/** Milliseconds since the Unix epoch: what is written down. */
export const systemClock: Clock = () => Date.now()

/** Milliseconds since some moment, never going back: what durations are measured with. */
export const monotonicClock: Clock = () => performance.now()
