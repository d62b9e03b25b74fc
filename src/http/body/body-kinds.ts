import { AppError } from '../../platform/errors.js'

/** What a body may be. None of them is multipart: nothing here takes files beside fields. */
export type BodyKind = 'json' | 'ndjson' | 'toml' | 'text'

/** The media types of each kind; the first one is what the document shows. */
const MEDIA_TYPES: Readonly<Record<BodyKind, readonly [string, ...string[]]>> = {
  json: ['application/json'],
  ndjson: ['application/x-ndjson', 'application/ndjson'],
  toml: ['application/toml'],
  text: ['text/plain'],
}
const JSON_SUFFIX = /^application\/[a-z0-9.-]+\+json$/

export type BodyKinds = readonly [BodyKind, ...BodyKind[]]
export const JSON_ONLY: BodyKinds = ['json']

export const mediaTypeOf = (kind: BodyKind): string => MEDIA_TYPES[kind][0]

/**
 * Which of these kinds a body is, by its `Content-Type`. Without one it is the first of them: the original took such a
 * body for JSON. Throws `unsupported-media-type`.
 */
export function kindOf(contentType: string | undefined, kinds: BodyKinds): BodyKind {
  if (contentType === undefined || contentType === '') return kinds[0]
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const kind = kinds.find(
    (one) => MEDIA_TYPES[one].includes(mediaType) || (one === 'json' && JSON_SUFFIX.test(mediaType)),
  )
  if (kind !== undefined) return kind
  throw new AppError('unsupported-media-type', `Send the body as ${kinds.map(mediaTypeOf).join(' or ')}.`)
}

export type ContentCoding = 'identity' | 'gzip'

/**
 * How a body is coded, by its `Content-Encoding` (RFC 9110, 8.4). Throws `unsupported-media-type`, which says in
 * `Accept-Encoding` what this route takes (12.5.3).
 */
export function codingOf(contentEncoding: string | undefined, takesGzip: boolean): ContentCoding {
  const coding = contentEncoding?.trim().toLowerCase() ?? ''
  if (coding === '' || coding === 'identity') return 'identity'
  if (takesGzip && (coding === 'gzip' || coding === 'x-gzip')) return 'gzip'
  const detail = takesGzip ? 'Send the body as it is, or with `Content-Encoding: gzip`.' : 'Send the body uncompressed.'
  throw new AppError('unsupported-media-type', detail, { acceptEncoding: takesGzip ? 'gzip, identity' : 'identity' })
}
