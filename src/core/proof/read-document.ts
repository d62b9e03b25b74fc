import { isJsonObject, type JsonObject } from '../json/index.js'
import { isAuditHeader, parseAuditJson } from './audit-package.js'

/** Bytes of a line, and of a file that is one JSON text: a receipt in any spelling with its proof is far smaller. */
export const documentBytesMax = 1_048_576

const LINE_FEED = 0x0a

/** A line of a package; `cut` for a last one that neither has an end nor is whole. */
export type AuditBytes = Uint8Array | 'too-long' | 'cut'

/** What a file turned out to be. `lines` of a package come one by one, so its length costs no memory. */
export type ReadDocument =
  | { readonly kind: 'package'; readonly header: JsonObject; readonly lines: AsyncIterable<AuditBytes> }
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'too-long' }

/** Reads a file as far as it takes to tell what it is: an audit package by its first line, or else one text. */
export async function readDocument(chunks: AsyncIterable<Uint8Array>): Promise<ReadDocument> {
  const iterator = chunks[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array(0)
  let end = -1
  for (;;) {
    const next = await iterator.next()
    if (next.done === true) break
    head = joined(head, next.value)
    end = head.indexOf(LINE_FEED)
    if (end !== -1 || head.length > documentBytesMax) break
  }
  const first = parseAuditJson(end === -1 ? head : head.subarray(0, end))
  if (first.ok && isJsonObject(first.value) && isAuditHeader(first.value)) {
    return {
      kind: 'package',
      header: first.value,
      lines: linesOf(end === -1 ? head.subarray(head.length) : head.subarray(end + 1), iterator),
    }
  }
  while (head.length <= documentBytesMax) {
    const next = await iterator.next()
    if (next.done === true) return { kind: 'text', bytes: head }
    head = joined(head, next.value)
  }
  await iterator.return?.()
  return { kind: 'too-long' }
}

/** The lines behind the first, without their line feeds; ends after one that is too long. */
async function* linesOf(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<AuditBytes, void> {
  let pending = start
  for (;;) {
    let from = 0
    for (let end = pending.indexOf(LINE_FEED); end !== -1; end = pending.indexOf(LINE_FEED, from)) {
      yield pending.subarray(from, end)
      from = end + 1
    }
    pending = pending.subarray(from)
    if (pending.length > documentBytesMax) {
      yield 'too-long'
      await rest.return?.()
      return
    }
    const next = await rest.next()
    if (next.done === true) break
    pending = joined(pending, next.value)
  }
  if (pending.length > 0) yield parseAuditJson(pending).ok ? pending : 'cut'
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
