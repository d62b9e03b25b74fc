import { AppError } from '../../../platform/errors.js'
import { USAGE_LIMITS } from '../limits.js'

const VISIBLE = /^[!-~]+$/

/** The value of an `Idempotency-Key` header, null if there is none. Throws `malformed-request`. */
export function readIdempotencyKey(header: (name: string) => string | undefined): string | null {
  const key = header('idempotency-key')
  if (key === undefined) return null
  const { idempotencyKeyCharactersMax } = USAGE_LIMITS
  if (VISIBLE.test(key) && key.length <= idempotencyKeyCharactersMax) return key
  const detail = `Idempotency-Key must have 1 to ${idempotencyKeyCharactersMax} characters of ASCII without blanks.`
  throw new AppError('malformed-request', detail)
}

export function bothKeys(): AppError {
  const [pointer, message] = ['/idempotency_key', 'must not be sent together with the header Idempotency-Key']
  return new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}

export function keyReused(): AppError {
  return new AppError(
    'idempotency-key-reused',
    'This idempotency key came with another body before; nothing was written.',
  )
}
