import type { z } from '@hono/zod-openapi'
import type { Access, Principal } from '../access/principal.js'
import type { ProblemCode } from '../platform/problem-catalogue.js'
import type { BodyKinds } from './body/body-kinds.js'
import type { BodyItems } from './body/parse-json.js'
import type { ErrorShape } from './error-shape.js'
import type { Warm, WarmResponse } from './listen/warm-lane.js'
import type { EventStream } from './stream/event-stream.js'
import type { Streamed } from './stream/stream.js'

export type DeclaredResponse = {
  readonly description: string
  readonly schema?: z.ZodType
  /** The media types that it may have: JSON where there is a schema and no other is named. */
  readonly contentType?: string | readonly string[]
  readonly example?: unknown
}

/** One route: what it takes, who may call it, what it answers. The declaration feeds the router and the document. */
export type Endpoint<Params, Query, Body> = {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** With OpenAPI parameters: `/api/v1/aliases/{alias}`. */
  readonly path: string
  /** Whether the last parameter takes all segments that follow, with their slashes. */
  readonly isDeep?: true
  readonly tag: string
  /** Names the operation in the document, and the function in what is generated from it: it never changes. */
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  readonly params?: z.ZodType<Params>
  readonly query?: z.ZodType<Query>
  /** The query values that mean something when they are empty; everywhere else an empty one is absent. */
  readonly emptyQuery?: readonly string[]
  readonly body?: z.ZodType<Body>
  /**
   * The very thing that `body` makes of a value which is plainly right, at less cost; undefined leaves it to `body`.
   */
  readonly plainBody?: (value: unknown) => Body | undefined
  readonly bodyExample?: unknown
  /**
   * The largest body here, where that is less than the service takes; for a public route `publicBodyBytesMax` if
   * absent.
   */
  readonly bodyBytesMax?: number
  /**
   * For a body that may be a long array: how its items are checked, in slices. `body` then sees only what is no array.
   */
  readonly bodyItems?: BodyItems
  /**
   * What the body may be, if not JSON: the items of `ndjson` are `bodyItems`, and `toml` and `text` are a string to
   * `body`.
   */
  readonly bodyKinds?: BodyKinds
  /**
   * For a body that is passed on and not kept: it has limits of its own (`bodyBytesMax` may be above the service's), and
   * U+0000 and lone surrogates pass.
   */
  readonly passesBody?: true
  /** The members that problems have here besides their own, for the libraries that call it. */
  readonly errorShape?: ErrorShape
  /** Whether the body may come with `Content-Encoding: gzip`. Its limits count what it unfolds to. */
  readonly bodyGzip?: boolean
  /** How long `handle` may take to answer, if not `HTTP_LIMITS.responseMsMax`: a stream has answered when it begins. */
  readonly responseMsMax?: number
  readonly responses: Readonly<Record<number, DeclaredResponse>>
  /** Problems beyond the ones that follow from access, input and the common ones. */
  readonly problems?: readonly ProblemCode[]
  /**
   * The same response from memory, for GET and HEAD of a path that changes nothing, and is exact but for its last
   * segment (or `isDeep`): see warm-lane.ts.
   */
  readonly warm?: Warm
  /**
   * Every response is plain, or a stream without turns, so a small body can be served below the router: see
   * direct-way.ts. For POST with a body.
   */
  readonly direct?: true
  /**
   * For what reads many rows: `handle`, and then every chunk of what it streams, waits for its turn among the reads of
   * all callers (see read-turns.ts); or, for what changes many and shows them all, among the changes.
   */
  readonly turns?: 'read' | 'change'
  readonly handle: (request: EndpointRequest<Params, Query, Body>) => Handled | Promise<Handled>
}

/** A plain response is written as it stands; whatever is odd is a `Response`. */
export type Handled = Response | WarmResponse | Streamed | EventStream

type EndpointRequest<Params, Query, Body> = {
  readonly principal: Principal
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** The body as it was sent: what a signature covers is read from here. Empty for a body that came as items. */
  readonly text: string
  readonly header: (name: string) => string | undefined
  readonly address: string
  /** Aborted when nothing waits for the response any more. Made when it is asked for. */
  readonly signal: () => AbortSignal
  /** Aborted when the service drains: a stream without end says its last words then, and a wait ends. */
  readonly draining: AbortSignal
  /** From here on the request is not counted as under way: it waits for what may be long in coming. */
  readonly park: () => void
}
