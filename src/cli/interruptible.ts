const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Lets `work` clean up when it is interrupted: the first SIGINT or SIGTERM aborts its signal, a second one ends the
 * process at once. Rejects with `Interrupted.` where work that was aborted rejects.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? new Error('Interrupted.', { cause: error }) : error
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
