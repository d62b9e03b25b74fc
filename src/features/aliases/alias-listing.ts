import { createSlices } from '../../platform/slices.js'
import { aliasEtag } from './etags.js'
import { ALIAS_LIMITS } from './limits.js'
import type { ReadListing, WholeList } from './listing-store.js'
import { renderListed } from './render.js'
import type { Kind, Rendered } from './snapshots.js'

/** The list of a profile's aliases (or of all), as the bytes of the response, and where each alias stands in it. */
export type Listing = {
  readonly etag: string
  /** Undefined where they are too many to be kept. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined
  /** By name; empty for the list of all profiles. */
  readonly places: ReadonlyMap<string, Place>
}
type Place = { readonly begin: number; readonly end: number; readonly revision: number }

/** An alias of a listing, as the bytes of its own response. */
export type ListedBytes = { readonly bytes: Uint8Array<ArrayBuffer>; readonly etag: string }

export function listKind(read: ReadListing): Kind<Listing> {
  return {
    name: 'list',
    isReadAhead: true,
    load: async (projectId, profile, only) => {
      const whole = await read(projectId, profile, only === undefined ? ALIAS_LIMITS.keptListBytesMax : 0)
      return { ...whole, render: () => renderListing(whole, profile) }
    },
  }
}

export function findListed({ bytes, places }: Listing, epoch: string, alias: string): ListedBytes | undefined {
  const place = places.get(alias)
  if (bytes === undefined || place === undefined) return undefined
  return { bytes: bytes.subarray(place.begin, place.end), etag: aliasEtag(epoch, place.revision) }
}

async function renderListing(whole: WholeList, profile: string | undefined): Promise<Rendered<Listing>> {
  const etag = aliasEtag(whole.epoch, whole.changed)
  if (whole.rows === undefined)
    return { content: { etag, bytes: undefined, places: new Map() }, characters: etag.length }
  const slices = createSlices()
  const places = new Map<string, Place>()
  const texts: string[] = []
  let characters = etag.length
  let begin = 1
  for (const row of whole.rows) {
    if (slices.isDue()) await slices.pause()
    const text = renderListed(row)
    const end = begin + Buffer.byteLength(text)
    texts.push(text)
    if (profile !== undefined) places.set(row.alias, { begin, end, revision: row.revision })
    characters += row.alias.length + ALIAS_LIMITS.listPlaceCharacters
    begin = end + 1
  }
  const text = `[${texts.join(',')}]`
  const bytes = new Uint8Array(Buffer.byteLength(text))
  new TextEncoder().encodeInto(text, bytes)
  return { content: { etag, bytes, places }, characters: characters + bytes.byteLength }
}
