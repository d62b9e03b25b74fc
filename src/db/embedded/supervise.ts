import { asEmbeddedError, EmbeddedError, messageOf } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'
import type { Ownership } from './ownership.js'
import { backoffMs } from './starter.js'

export type SuperviseDeps = {
  /** Brings Postgres back on the same port and owns it again. Throws an `EmbeddedError` if that cannot be done. */
  readonly reacquire: (signal: AbortSignal) => Promise<Ownership>
  /** Waits so many milliseconds; rejects when the signal is given. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  readonly log: (message: string, fields?: Record<string, unknown>) => void
  readonly onRestarted: () => void
  /** Called once, when we give up: Postgres stays down, or another service has taken it over. */
  readonly onLost: (error: EmbeddedError) => void
}

export type Supervision = {
  /** Ends the watch, breaking off a restart under way. What it returns still has to be stopped, and then released. */
  stop(): Promise<Ownership | undefined>
}

/**
 * Watches an owned Postgres. Its end shows on the connection that holds the lock, at once and whoever's child it is:
 * backends end with their postmaster. What ends that connection alone is treated the same, as far as it can tell.
 */
export function supervise(first: Ownership, deps: SuperviseDeps): Supervision {
  const stopping = new AbortController()
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true })
  })

  const watch = async (): Promise<Ownership | undefined> => {
    let ownership = first
    let restarts = 0
    for (;;) {
      const since = performance.now()
      await Promise.race([ownership.lost, stopped])
      if (stopping.signal.aborted) return ownership
      await ownership.release()
      restarts = performance.now() - since > EMBEDDED_LIMITS.steadyMs ? 1 : restarts + 1
      deps.log('PostgreSQL ended; it is started again', { restarts })
      try {
        ownership = await restart(deps, restarts, stopping.signal)
      } catch (error) {
        if (stopping.signal.aborted) return undefined
        const failure = asEmbeddedError(error)
        deps.log('PostgreSQL is given up', { code: failure.code, reason: failure.message })
        deps.onLost(failure)
        return undefined
      }
      deps.log('PostgreSQL is back', { restarts })
      tell(deps)
    }
  }

  const watching = watch()
  return {
    stop: async () => {
      stopping.abort()
      return watching
    },
  }
}

async function restart(deps: SuperviseDeps, restarts: number, signal: AbortSignal): Promise<Ownership> {
  if (restarts > EMBEDDED_LIMITS.restartsMax) {
    throw new EmbeddedError('start-failed', `PostgreSQL ended ${restarts} times in a row.`)
  }
  if (restarts > 1) await deps.pause(backoffMs(restarts), signal)
  return deps.reacquire(signal)
}

/** What a listener throws must not end the watch. */
function tell(deps: SuperviseDeps): void {
  try {
    deps.onRestarted()
  } catch (error) {
    deps.log('A listener to the restart of PostgreSQL failed', { reason: messageOf(error) })
  }
}
