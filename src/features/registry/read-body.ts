/** What a body's bytes came to: all of them, or too many. Rejects where the body breaks off. */
export type BodyResult =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly reason: string }

type Body = {
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/** Reads a body of at most `bytesMax` bytes (after content decoding) and lets go of a larger one at once. */
export async function readBody(response: Body, bytesMax: number): Promise<BodyResult> {
  const tooLarge = { ok: false, reason: `its body is larger than ${bytesMax} bytes` } as const
  if (Number(response.headers.get('content-length') ?? 0) > bytesMax) return tooLarge
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength
    if (length > bytesMax) return tooLarge
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return { ok: true, bytes }
}
