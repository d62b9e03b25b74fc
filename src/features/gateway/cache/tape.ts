import { GATEWAY_LIMITS } from '../limits.js'

/** A stream of text that several read, each from its beginning. */
export type Tape = {
  /** Throws `TapeLag` for a reader that is too far behind the first. */
  read(): AsyncGenerator<string>
  /** Reads on although no reader waits, so that the stream comes to its end. */
  drain(): Promise<void>
  /** All of it if it ended and was short enough to be kept, else null; or null already when it got too long. */
  readonly kept: Promise<string | null>
}

/** This reader took so long that what it had not read yet was given up. */
export class TapeLag extends Error {
  override readonly name = 'TapeLag'
}

/**
 * The source is read when the first of the readers wants more, so a slow client is waited for as ever; what the slowest
 * has not read yet is kept, up to `tapeCharactersMax`, beyond which it is cut off and no new reader may begin.
 */
export function createTape(source: AsyncGenerator<string>): Tape {
  const reel = createReel(source)
  async function* follow(): AsyncGenerator<string> {
    for (let at = 0; ; ) {
      const chunk = reel.at(at)
      if (chunk !== undefined) {
        at += 1
        yield chunk
      } else if (reel.hasEnded()) return
      else await reel.more()
    }
  }
  return {
    kept: reel.kept,
    read: follow,
    drain: async () => {
      while (!reel.hasEnded()) await reel.more()
    },
  }
}

/** The chunks that are kept of a source, and one reading of more at a time. */
function createReel(source: AsyncGenerator<string>) {
  const chunks: string[] = []
  let [first, characters, hasEnded] = [0, 0, false]
  let pulling: Promise<void> | null = null
  let keep: (text: string | null) => void = () => undefined
  const kept = new Promise<string | null>((resolve) => {
    keep = resolve
  })
  const push = (chunk: string) => {
    chunks.push(chunk)
    characters += chunk.length
    if (characters <= GATEWAY_LIMITS.tapeCharactersMax) return
    keep(null)
    for (; characters > GATEWAY_LIMITS.tapeCharactersMax / 2 && chunks.length > 1; first += 1) {
      characters -= chunks.shift()?.length ?? 0
    }
  }
  const pull = async () => {
    try {
      const { done, value } = await source.next()
      if (done === true) keep(chunks.join(''))
      else push(value)
      hasEnded = done === true
    } catch (error) {
      hasEnded = true
      keep(null)
      throw error
    } finally {
      pulling = null
    }
  }
  return {
    kept,
    hasEnded: () => hasEnded,
    more: () => {
      pulling ??= pull()
      return pulling
    },
    /** The chunk of this number; undefined if it has not been read yet. Throws `TapeLag` for one that was given up. */
    at: (number: number): string | undefined => {
      if (number < first) throw new TapeLag('The stream was read too slowly.')
      return chunks[number - first]
    },
  }
}
