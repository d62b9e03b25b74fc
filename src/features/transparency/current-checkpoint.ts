import { AppError } from '../../platform/errors.js'
import type { Published, PublishedCheckpoint } from './published.js'

export type ShowDeps = {
  readonly published: Pick<Published, 'current'>
  /** Throws `log-suspended` while the history is in question. */
  readonly refuseWhileBarred: () => void
}

/** The published checkpoint. Throws `log-suspended`, also before the first one is published. */
export function currentCheckpoint({ published, refuseWhileBarred }: ShowDeps): PublishedCheckpoint {
  refuseWhileBarred()
  const current = published.current()
  if (current !== null) return current
  throw new AppError('log-suspended', 'The log has no checkpoint yet.', { retryAfterSeconds: 1 })
}
