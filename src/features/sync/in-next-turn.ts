/**
 * Does the work in the next turn of the event loop, once for all who ask until then, and never twice at the same time: what
 * is asked for while it is done is done once more afterwards. It must not reject.
 */
export function inNextTurn(work: () => Promise<void>): () => void {
  let isDue = false
  let isBegun = false
  const begin = async (): Promise<void> => {
    while (isDue) {
      isDue = false
      await work()
    }
    isBegun = false
  }
  return () => {
    isDue = true
    if (isBegun) return
    isBegun = true
    setImmediate(() => void begin())
  }
}
