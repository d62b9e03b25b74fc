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

type Chunks = AsyncGenerator<string | Uint8Array>

/** A response that is written while it is read, texts as UTF-8 and bytes as they are. */
export type Streamed = { readonly headers: Readonly<Record<string, string>>; readonly chunks: Chunks }

/** Makes one piece of a response, the first one or another: in its caller's turn where reads take turns. */
export type InTurn = <T>(read: () => Promise<T> | T, isBegun?: boolean) => Promise<T> | T

/**
 * A slow reader slows the generator, a reader that leaves ends it. If the generator throws, the connection is cut: the
 * reader sees a broken transfer, never a shorter response. No chunk is made before the one before it is taken.
 */
export function sendStream({ chunks, headers }: Streamed, inTurn: InTurn): Response {
  const encoder = new TextEncoder()
  const next = async () => inTurn(() => chunks.next(), true)
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const { done, value } = await next().catch((error: unknown) => {
      throw new ResponseCut(error)
    })
    if (done === true) controller.close()
    else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
  }
  const cancel = async () => void (await chunks.return(undefined))
  const stream = new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 })
  return new Response(stream, { status: 200, headers: { ...headers } })
}
