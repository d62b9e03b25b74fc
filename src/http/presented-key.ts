import { AppError } from '../platform/errors.js'
import { HTTP_LIMITS } from './limits.js'

/** A request header's value, or undefined. */
export type ReadHeader = (name: string) => string | undefined

const BEARER = /^bearer +(.*)$/i

/**
 * The key that a request presents: `X-Project-Key`, `X-API-Key` and `Authorization: Bearer` mean the same.
 * Throws `key-required` where there is none, `conflicting-keys` where they differ, `malformed-key` for one that is too
 * long or has white space inside. The key is never part of a message.
 */
export function presentedKey(header: ReadHeader, kind: 'project' | 'admin' = 'project'): string {
  let key: string | undefined
  for (const value of [header('x-project-key'), header('x-api-key'), bearerToken(header('authorization'))]) {
    const candidate = value?.trim()
    if (candidate === undefined || candidate === '') continue
    if (key !== undefined && key !== candidate) {
      throw new AppError(
        'conflicting-keys',
        'X-Project-Key, X-API-Key and Authorization carry different keys; send one.',
      )
    }
    key = candidate
  }
  if (key === undefined) {
    throw new AppError('key-required', `Send the ${kind} key in X-Project-Key, X-API-Key or Authorization: Bearer.`)
  }
  if (key.length > HTTP_LIMITS.keyCharactersMax) {
    throw new AppError('malformed-key', `A key has at most ${HTTP_LIMITS.keyCharactersMax} characters.`)
  }
  if (/\s/.test(key)) throw new AppError('malformed-key', 'A key has no white space inside.')
  return key
}

function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
}
