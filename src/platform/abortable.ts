/** Work that was given up because its signal was aborted. */
export class Aborted extends Error {
  override readonly name = 'Aborted'

  constructor(options?: ErrorOptions) {
    super('Interrupted.', options)
  }
}

/** The work's outcome, or `Aborted` as soon as the signal is. The work itself goes on unheard: who began it ends it. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let giveUp: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(new Aborted())
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
  // If the signal comes first, the work's rejection is not an unhandled one.
  work.catch(() => undefined)
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
