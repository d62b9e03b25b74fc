import { randomBytes } from 'node:crypto'
import { WEBHOOK_LIMITS } from './limits.js'

const PREFIX = 'whsec_'
const { secretBytesMin, secretBytesMax, secretBytesMade } = WEBHOOK_LIMITS

/** What a secret has to be, for people. */
export const SECRET_RULE = `must be ${PREFIX} and ${secretBytesMin} to ${secretBytesMax} bytes in base64`

/**
 * The bytes of a secret, undefined if it is none: `whsec_` and their base64 (Standard Webhooks, "Signature scheme"),
 * padded, in the one spelling that encoding them gives.
 */
export function readSecret(text: string): Uint8Array | undefined {
  const encoded = text.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64')
  const isSecret = text.startsWith(PREFIX) && bytes.toString('base64') === encoded
  return isSecret && bytes.length >= secretBytesMin && bytes.length <= secretBytesMax ? bytes : undefined
}

/** A new secret: 256 random bits. */
export const makeSecret = (): string => PREFIX + randomBytes(secretBytesMade).toString('base64')
