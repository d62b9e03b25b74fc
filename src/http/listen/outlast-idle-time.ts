import type { IncomingMessage } from 'node:http'
import { HTTP_LIMITS } from '../limits.js'

/** A connection on which nothing is said for long is closed, unless its response may take longer than that. */
export function outlastIdleTime({ socket }: IncomingMessage, responseMsMax: number | undefined): void {
  // Node sets it back with the next request.
  if (responseMsMax !== undefined && responseMsMax > HTTP_LIMITS.idleMsMax) socket.setTimeout(responseMsMax)
}
