import { deadline } from './deadline.js'
import { describeError, type Logger } from './logger.js'

type Closer = () => Promise<void> | void

/** What was opened, to be closed in reverse. */
export type Lifecycle = {
  /** Remembers how to close something that was just opened. */
  onClose(name: string, close: Closer): void
  /** Closes everything, newest first; a closer that fails or takes over `closeMsMax` does not stop the others. */
  close(): Promise<void>
}

export function createLifecycle(logger: Logger, closeMsMax = 15_000): Lifecycle {
  const opened: { name: string; close: Closer }[] = []
  let closing: Promise<void> | undefined

  const closeAll = async (): Promise<void> => {
    for (let resource = opened.pop(); resource !== undefined; resource = opened.pop()) {
      try {
        await deadline(Promise.resolve(resource.close()), closeMsMax)
        logger.debug({ resource: resource.name }, 'closed')
      } catch (error) {
        logger.error({ resource: resource.name, error: describeError(error) }, 'could not close')
      }
    }
  }

  return {
    onClose: (name, close) => void opened.push({ name, close }),
    close: () => {
      closing ??= closeAll()
      return closing
    },
  }
}
