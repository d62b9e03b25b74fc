/**
 * A response that broke off after its head was out, so that no problem can be sent any more. Printing it shows nothing
 * of the reason, which may carry a statement and its parameters.
 */
export class ResponseCut extends Error {
  readonly #reason: unknown

  constructor(reason: unknown) {
    super('The answer was cut short; the log says why.')
    this.name = 'ResponseCut'
    this.#reason = reason
  }

  reason(): unknown {
    return this.#reason
  }
}

/**
 * A response that is written while it is read, texts as UTF-8 and bytes as they are: a slow reader slows the generator,
 * a reader that leaves ends it. If the generator throws, the connection is cut: the reader sees a broken transfer,
 * never a shorter response.
 */
export function streamResponse(chunks: AsyncGenerator<string | Uint8Array>, headers: Record<string, string>): Response {
  const encoder = new TextEncoder()
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw new ResponseCut(error)
      })
      if (done === true) controller.close()
      else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
    },
    cancel: async () => void (await chunks.return(undefined)),
  })
  return new Response(stream, { status: 200, headers })
}
