import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { contextOf, type NodeBindings } from '../request-context.js'
import { type BodyKinds, codingOf, JSON_ONLY, kindOf } from './body-kinds.js'
import { type BodyItems, parseItems, parseJson, parseLines, parsePassedInSteps, parseText } from './parse-json.js'
import { type BodyLimits, type BodySource, readBytes, tooLarge } from './read-bytes.js'

/** What a route says of its body. */
export type DeclaredBody = {
  readonly body?: z.ZodType | undefined
  readonly bodyItems?: BodyItems
  readonly bodyKinds?: BodyKinds
  readonly bodyGzip?: boolean
  readonly passesBody?: true
}

/** `isValid`: its items were checked one by one, so the whole is not checked again. */
export type SentBody = { readonly value: unknown; readonly text: string; readonly isValid: boolean }

export const NO_BODY: SentBody = { value: undefined, text: '', isValid: false }

/** Reads and parses a body. Throws `unsupported-media-type`, and what reading and parsing throw. */
export async function takeBody(
  c: Context,
  limits: BodyLimits,
  declared: DeclaredBody,
  isPublic: boolean,
): Promise<SentBody> {
  const { bodyItems, bodyKinds = JSON_ONLY, bodyGzip = false, passesBody } = declared
  const kind = kindOf(c.req.header('content-type'), bodyKinds)
  const coding = codingOf(c.req.header('content-encoding'), bodyGzip)
  const bytes = await readBody(c, limits, { isPublic, coding })
  if (passesBody) return { ...(await parsePassedInSteps(bytes)), isValid: false }
  if (kind === 'toml' || kind === 'text') return { ...parseText(bytes), isValid: false }
  const items = bodyItems === undefined ? null : await (kind === 'ndjson' ? parseLines : parseItems)(bytes, bodyItems)
  return items === null ? { ...parseJson(bytes), isValid: false } : { value: items, text: '', isValid: true }
}

async function readBody(c: Context, limits: BodyLimits, source: BodySource): Promise<Uint8Array> {
  const declared = Number(c.req.header('content-length') ?? 0)
  if (declared > limits.bytesMax) throw tooLarge(limits.bytesMax)
  const incoming = (c.env as Partial<NodeBindings> | undefined)?.incoming
  if (incoming !== undefined) return readBytes(incoming, contextOf(c), limits, source)
  // Without the listener (`app.request()`), the body is in memory already.
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  if (bytes.length > limits.bytesMax) throw tooLarge(limits.bytesMax)
  return bytes
}
