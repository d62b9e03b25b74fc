import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { AppError } from '../../platform/errors.js'

/**
 * A body as it was before `Content-Encoding: gzip`, inflated as it is read: whoever stops reading stops the inflating,
 * so a body that unfolds to gigabytes costs what its reader takes of it. At most `bytesMax` compressed bytes are taken:
 * a stream of empty blocks unfolds to nothing. Fails with `body-too-large` or `malformed-request`.
 */
export function inflate(incoming: IncomingMessage, bytesMax: number, tooLarge: () => AppError): Readable {
  const gunzip = createGunzip()
  let bytes = 0
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) gunzip.destroy(tooLarge())
  })
  return incoming.pipe(gunzip)
}

export function explainInflate(error: Error): AppError {
  return error instanceof AppError
    ? error
    : new AppError('malformed-request', 'The body says that it is gzip, but it is damaged or cut short.')
}
