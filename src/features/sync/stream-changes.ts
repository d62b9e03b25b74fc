import {
  type EventBytes,
  type EventStream,
  openEventStream,
  renderEvent,
  toEventBytes,
} from '../../http/stream/event-stream.js'
import { type Cancel, expireAfter } from '../../platform/deadline.js'
import { SYNC_LIMITS } from './limits.js'
import { eventsOf, type Page } from './page.js'
import { follow, type WatchDeps, type WatchRequest } from './watch.js'

/**
 * A stream of the changes behind a position: first what there is, in pages, then one event for each revision. Throws
 * `overloaded` if there are too many watchers, and what the first read throws; a stream outlasts the database. A reader
 * that leaves an event untaken when the next one is due is cut after `lagMsMax`; it comes back with the id of the last
 * event that it has.
 */
export function streamChanges(deps: WatchDeps, request: WatchRequest): Promise<EventStream> {
  return new Promise((resolve, reject) => {
    let stream: EventStream | undefined
    let isLive = false
    let stopLag: Cancel | undefined
    const leave = (isCut = false): void => {
      deps.watchers.remove(follower)
      stopLag?.()
      if (isCut) deps.count('cut')
    }
    const { follower, channel } = follow(deps, request, {
      isLive: () => isLive,
      isReady: () => stream?.isTaken() ?? true,
      lag: () => {
        if (stopLag !== undefined) return
        stopLag = expireAfter(SYNC_LIMITS.lagMsMax, () => stream?.cut())
        stream?.whenTaken(() => {
          stopLag?.()
          stopLag = undefined
          channel.run()
        })
      },
      take: (page, isNews) => {
        const bytes = bytesOf(page, isLive && !(isNews && isEmpty(page)))
        isLive = page.isLast
        const isFirst = stream === undefined
        stream ??= open(deps, request, leave)
        if (bytes !== null && stream.sendBytes(bytes)) deps.count('events')
        if (!isFirst) return
        request.park()
        resolve(stream)
      },
      fail: (error) => {
        if (stream !== undefined) return
        leave()
        reject(error)
      },
      dismiss: () => stream?.end(),
    })
  })
}

const isEmpty = ({ changes, revisions = [] }: Page): boolean => changes.length + revisions.length === 0

function open({ random }: WatchDeps, { signal, draining }: WatchRequest, onEnd: (isCut: boolean) => void): EventStream {
  const { retryMsMin, retryMsMax } = SYNC_LIMITS
  const retryMs = Math.round(retryMsMin + (retryMsMax - retryMsMin) * random())
  return openEventStream({ signal, draining, retryMs, onEnd })
}

type Rendered = WeakMap<Page, EventBytes | null>
const rendered: Record<'live' | 'first', Rendered> = { live: new WeakMap(), first: new WeakMap() }

/** Rendered once for all that are told the same: events of one page go out together. Null if there are none. */
function bytesOf(page: Page, isLive: boolean): EventBytes | null {
  const known = rendered[isLive ? 'live' : 'first']
  const before = known.get(page)
  if (before !== undefined) return before
  const text = eventsOf(page, isLive).map(renderEvent).join('')
  const bytes = text === '' ? null : toEventBytes(text)
  known.set(page, bytes)
  return bytes
}
