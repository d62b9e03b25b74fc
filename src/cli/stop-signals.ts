import { CLI_LIMITS } from './limits.js'

/** SIGHUP is what a closed terminal sends: an embedded PostgreSQL must not be left behind by it. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export type StopSignals = {
  /** Aborted by the first of them, with its name as the reason. */
  readonly signal: AbortSignal
  /** Resolves with its name. */
  readonly asked: Promise<NodeJS.Signals>
  /** From here on signals end the process again. */
  forget(): void
}

/** The first signal asks for a clean stop; a later one does not wait for it and ends the process with 1. */
export function listenForStop(): StopSignals {
  const controller = new AbortController()
  let askedAt: number | undefined
  let resolve: (name: NodeJS.Signals) => void = () => undefined
  const asked = new Promise<NodeJS.Signals>((resolved) => {
    resolve = resolved
  })
  const onSignal = (name: NodeJS.Signals) => {
    if (askedAt !== undefined && performance.now() - askedAt > CLI_LIMITS.sameRequestMs) process.exit(1)
    askedAt ??= performance.now()
    controller.abort(name)
    resolve(name)
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  return {
    signal: controller.signal,
    asked,
    forget: () => {
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}
