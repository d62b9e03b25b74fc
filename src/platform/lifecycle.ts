import { describeError, type Logger } from './logger.js'

export type Closer = () => Promise<void> | void

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
        await within(closeMsMax, Promise.resolve(resource.close()))
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

/** The promise's outcome, or a rejection after `msMax` milliseconds. */
export async function within<T>(msMax: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${msMax} ms`)), msMax)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
