import { createHash } from 'node:crypto'

/** The hex digest of the UTF-8 bytes of all chunks, one behind the other. */
export function sha256Hex(chunks: Iterable<string>): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/** The 32-byte digest. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}
