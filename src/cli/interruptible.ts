import { Aborted } from '../platform/abortable.js'
import { listenForStop } from './stop-signals.js'

/**
 * Lets `work` clean up when it is interrupted: the first SIGINT, SIGTERM or SIGHUP aborts its signal, a later one ends the
 * process at once. Rejects with `Aborted` if work that was aborted rejects.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, forget } = listenForStop()
  try {
    return await work(signal)
  } catch (error) {
    throw signal.aborted ? new Aborted({ cause: error }) : error
  } finally {
    forget()
  }
}
