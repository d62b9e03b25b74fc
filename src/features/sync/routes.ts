import { READS } from '../../access/principal.js'
import type { Handled } from '../../http/declaration.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { JSON_HEADERS, JSON_TYPE, plainBytes } from '../../http/response.js'
import type { EventStream } from '../../http/stream/event-stream.js'
import type { AnswerText } from './answer-changes.js'
import { SYNC_LIMITS } from './limits.js'
import { type Position, readPosition } from './position.js'
import * as schema from './schema.js'
import type { Scope } from './store.js'
import type { WatchRequest } from './watch.js'

export type SyncVerbs = {
  readonly answer: (scope: Scope, position: Position) => Promise<AnswerText>
  readonly wait: (request: WatchRequest, waitSeconds: number) => Promise<AnswerText>
  readonly stream: (request: WatchRequest) => Promise<EventStream>
}

const EVENT_STREAM = 'text/event-stream'

export function mountSync(app: App, guards: Guards, verbs: SyncVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/api/v1/sync',
    tag: 'Sync',
    operationId: 'syncAliases',
    summary: 'What changed since a revision',
    description:
      'At once; or, with `wait`, as soon as something changes, and with nothing after that time; or, with `Accept: text/event-stream`, as events for as long as the connection lasts: each has the shape of the JSON response as its data, first what changed before, then one a revision. The `id` of an event is the revision from which `Last-Event-ID` goes on; it wins over `since`. Send the `epoch` of the data, too: revisions begin anew after an erasure or a restore. Whoever follows a profile is told of nothing else.',
    access: READS,
    query: schema.SyncQuery,
    responseMsMax: SYNC_LIMITS.responseMsMax,
    responses: {
      200: { description: 'The changes.', schema: schema.Delta, contentType: [JSON_TYPE, EVENT_STREAM] },
    },
    handle: ({ principal, query, header, signal, draining, park }): Promise<Handled> => {
      const { projectId, keyId, newKey } = principal
      const isStream = acceptsEvents(header('accept'))
      const position = readPosition(query, isStream ? header('last-event-id') : undefined)
      const scope = { projectId, profile: query.profile ?? null }
      const key = { id: keyId, newHash: newKey?.hash }
      const request = () => ({ scope, key, position, signal: signal(), draining, park })
      if (isStream) return verbs.stream(request())
      const wait = query.wait ?? preferredWait(header('prefer'))
      return (wait === undefined ? verbs.answer(scope, position) : verbs.wait(request(), wait)).then(handled)
    },
  })
}

const handled = (answer: AnswerText): Handled =>
  typeof answer === 'string' ? plainBytes(answer) : { headers: JSON_HEADERS, chunks: answer }

/** Whether the header names the media type of event streams, not as one that is refused. */
function acceptsEvents(accept: string | undefined): boolean {
  return /(?:^|,)\s*text\/event-stream\s*(?:$|,|;(?!\s*q=0(?:\.0*)?\s*(?:$|,)))/i.test(accept ?? '')
}

/** RFC 7240, 4.3; a longer wait than there may be is that one. */
function preferredWait(prefer: string | undefined): number | undefined {
  const seconds = Number(/(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer ?? '')?.[1] ?? 0)
  return seconds === 0 ? undefined : Math.min(seconds, SYNC_LIMITS.waitSecondsMax)
}
