import { createHash } from 'node:crypto'

/** The SHA-256 of bytes. */
export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
