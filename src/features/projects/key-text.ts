import { createHash, createHmac, randomBytes } from 'node:crypto'

/**
 * How keys are hashed: with a pepper (HMAC-SHA-256) where one is configured, so that a stolen table is no use alone.
 */
export type KeyHashing = {
  /** The id that is stored with a hash made now. */
  readonly pepperId: string
  /** The hash to store. */
  hash(key: string): string
  /** Every hash under which the key may be stored: now, under the previous pepper, and without one. */
  candidates(key: string): readonly string[]
}

const MADE_KEY_PREFIX = 'lrk_'
const DISPLAY_CHARACTERS = 8

export function createKeyHashing(pepper: string | undefined, previous: string | undefined): KeyHashing {
  const peppers = [pepper, previous, undefined].filter((item, index, all) => all.indexOf(item) === index)
  return {
    pepperId: pepper === undefined ? 'none' : sha256(pepper).slice(0, 8),
    hash: (key) => hashWith(pepper, key),
    candidates: (key) => peppers.map((item) => hashWith(item, key)),
  }
}

/** A new key: 256 random bits. */
export function makeKeyText(): string {
  return MADE_KEY_PREFIX + randomBytes(32).toString('base64url')
}

/** Whether a key has the form of those that this service makes. A caller may invent any other. */
export const isMadeHere = (key: string): boolean => key.startsWith(MADE_KEY_PREFIX)

/** What may be shown of a key that we made. */
export const displayPrefix = (key: string): string => key.slice(0, DISPLAY_CHARACTERS)

/** What may be shown of a key that its caller invented: digits of its hash, never a character of it. */
export const inventedPrefix = (hash: string): string => hash.slice(0, DISPLAY_CHARACTERS)

const hashWith = (pepper: string | undefined, key: string): string =>
  pepper === undefined ? sha256(key) : createHmac('sha256', pepper).update(key).digest('hex')

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
