import type { IncomingMessage } from 'node:http'
import { AppError } from '../../platform/errors.js'
import { isUsableTarget } from './request-target.js'

/** What is wrong with a request before anything is made of it. */
export function faultOf({ url = '', headers, httpVersion }: IncomingMessage): AppError | undefined {
  if (!isUsableTarget(url)) {
    return new AppError(
      'malformed-request',
      'The request target is no plain path: it has dot segments or odd characters.',
    )
  }
  if (headers.host === undefined && httpVersion === '1.1') return malformed()
  // Older readers do not know chunks, and would take the body's end for another place than we do (RFC 9112, 6.1).
  const transferEncoding = headers['transfer-encoding']
  if (transferEncoding === undefined) return undefined
  if (httpVersion !== '1.1') return new AppError('malformed-request', 'Only HTTP/1.1 knows Transfer-Encoding.')
  // Node reads no body behind another coding, and takes what follows for the next request.
  if (transferEncoding.trim().toLowerCase() !== 'chunked') {
    return new AppError('malformed-request', 'The only Transfer-Encoding that is known here is `chunked`.')
  }
  return undefined
}

export const malformed = () => new AppError('malformed-request', 'The request line or the Host header is malformed.')
