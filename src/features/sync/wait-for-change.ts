import { whenAborted } from '../../platform/abortable.js'
import { expireAfter } from '../../platform/deadline.js'
import { AppError } from '../../platform/errors.js'
import { type AnswerText, answerFrom } from './answer-changes.js'
import { SYNC_LIMITS } from './limits.js'
import { type Page, renderAnswer } from './page.js'
import { follow, type WatchDeps, type WatchRequest } from './watch.js'

/**
 * The changes behind a position as soon as there are some; none after at most `waitSeconds`, and earlier if the service
 * drains. Throws `overloaded` if there are too many watchers, and what the first read throws: a wait that has begun
 * outlasts the database.
 */
export function waitForChange(deps: WatchDeps, request: WatchRequest, waitSeconds: number): Promise<AnswerText> {
  return new Promise((resolve, reject) => {
    let isOver = false
    /** What was read, of which nothing was news. */
    let latest: Page | undefined
    const settle = (finish: () => void): void => {
      isOver = true
      deps.watchers.remove(follower)
      for (const stop of stops) stop()
      finish()
    }
    const giveUp = (error: unknown) => settle(() => reject(error))
    /** With nothing, once it is known of what there is nothing. */
    const end = (): void => {
      isOver = true
      if (latest === undefined) return
      const answer = renderAnswer({ ...latest, isReset: false, revision: follower.position.since }, [])
      settle(() => resolve(answer))
    }
    const { follower } = follow(deps, request, {
      isReady: () => true,
      isLive: () => false,
      lag: () => undefined,
      take: (page) => {
        if (page.changes.length > 0 || page.isReset) return settle(() => resolve(answerOf(deps, page)))
        if (latest === undefined) request.park()
        latest = page
        if (isOver) end()
      },
      fail: (error) => void (latest === undefined && giveUp(error)),
      dismiss: () =>
        request.key.newHash === undefined ? giveUp(new AppError('key-unknown', 'The key was revoked.')) : end(),
    })
    const { signal, draining } = request
    signal.addEventListener('abort', end)
    const stops = [
      expireAfter(waitMs(waitSeconds, deps.random()), end),
      whenAborted(draining, end),
      () => signal.removeEventListener('abort', end),
    ]
    if (signal.aborted || draining.aborted) end()
  })
}

const answers = new WeakMap<Page, string>()

/** Those who are told the same share one text; a document of several pages is read anew by each, as its reader takes it. */
function answerOf({ read }: WatchDeps, page: Page): AnswerText {
  const known = answers.get(page)
  if (known !== undefined) return known
  const answer = answerFrom(read, page)
  if (typeof answer === 'string') answers.set(page, answer)
  return answer
}

/** Those who came together do not come back together. */
function waitMs(seconds: number, random: number): number {
  const { waitShareMin, waitStepsMax } = SYNC_LIMITS
  const share = waitShareMin + ((1 - waitShareMin) * Math.floor(random * waitStepsMax)) / waitStepsMax
  return Math.round(seconds * 1000 * share)
}
