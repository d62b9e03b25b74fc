import { ServerResponse } from 'node:http'

/**
 * The adapter ends a stream that broke off with a text of its own, as if the transfer were whole, and destroys the
 * connection after that. Here that end is left out, so that the reader always sees a broken transfer: a response of ours
 * that ends with a text has its length in front, and is not sent in chunks.
 */
export class BreakableResponse extends ServerResponse {
  override end(...given: unknown[]): this {
    if (this.chunkedEncoding && typeof given[0] === 'string') return this
    return Reflect.apply(super.end, this, given) as this
  }
}
