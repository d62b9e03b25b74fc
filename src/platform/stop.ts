/** Tells once that work is to end, and why. As an AbortSignal does, of which one costs as much as a small body to parse. */
export type Stop<Why> = {
  /** Undefined until it is told. */
  readonly why: () => Why | undefined
  /** Calls back when it is told, or now if it was; what is returned takes that back. */
  readonly whenStopped: (callback: () => void) => () => void
}

export function createStop<Why>(): Stop<Why> & { readonly stop: (why: Why) => void } {
  const callbacks = new Set<() => void>()
  let told: Why | undefined
  return {
    why: () => told,
    whenStopped: (callback) => {
      if (told === undefined) callbacks.add(callback)
      else callback()
      return () => void callbacks.delete(callback)
    },
    stop: (why) => {
      if (told !== undefined) return
      told = why
      for (const callback of callbacks) callback()
      callbacks.clear()
    },
  }
}
