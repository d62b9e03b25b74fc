import { createHash } from 'node:crypto'
import { dumpLimits } from './limits.js'

/** What a frame holds: the header, a table's description, a piece of its rows, or the footer. */
export type FrameType = 'H' | 'T' | 'D' | 'F'
export type Frame = { readonly type: FrameType; readonly payload: Buffer }

/** A dump that cannot be used. The message is for people. */
export class DumpFault extends Error {
  override readonly name = 'DumpFault'
}

/** SHA-256 over the frames before the footer, their heads included. */
export type Digest = { add(bytes: Uint8Array): void; hex(): string }

const HEAD_BYTES = 5
const TYPES = new Set<string>(['H', 'T', 'D', 'F'])
const PURE_NOISE = 'It is not a dump of llmring-server, or it is damaged.'
const CUT = 'The dump is cut off: its end is missing.'

export function createDigest(): Digest {
  const hash = createHash('sha256')
  return { add: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') }
}

/** One byte of type, four bytes of payload length (big-endian), the payload. */
export function encodeFrame(type: FrameType, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.byteLength)
  frame.write(type, 0, 'latin1')
  frame.writeUInt32BE(payload.byteLength, 1)
  frame.set(payload, HEAD_BYTES)
  return frame
}

/** Rows of any size, cut into frames. The cuts mean nothing: one row may lie in several frames. */
export function* encodeRows(rows: Buffer): Generator<Buffer> {
  for (let from = 0; from < rows.length; from += dumpLimits.frameBytesMax) {
    yield encodeFrame('D', rows.subarray(from, from + dumpLimits.frameBytesMax))
  }
}

export type FrameReader = {
  /** The next frame without taking it; undefined at the end. Throws `DumpFault`, and whatever the source throws. */
  peek(): Promise<Frame | undefined>
  /** The next frame. Throws `DumpFault` at the end. */
  take(): Promise<Frame>
}

/** Reads frames from bytes that come in pieces of any size, and adds all but the footer to `digest`. */
export function createFrameReader(source: AsyncIterable<Buffer>, digest: Digest): FrameReader {
  const pieces = source[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)
  let next: Frame | undefined

  /** Exactly `length` bytes; none at all where the source ends right here. */
  const read = async (length: number): Promise<Buffer | undefined> => {
    const parts: Buffer[] = []
    let missing = length
    while (missing > 0) {
      if (rest.length === 0) {
        const piece = await pieces.next()
        if (piece.done === true) {
          if (missing === length) return undefined
          throw new DumpFault(CUT)
        }
        rest = piece.value
      }
      const part = rest.subarray(0, missing)
      rest = rest.subarray(part.length)
      missing -= part.length
      parts.push(part)
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  const readFrame = async (): Promise<Frame | undefined> => {
    const head = await read(HEAD_BYTES)
    if (head === undefined) return undefined
    const type = head.toString('latin1', 0, 1)
    const length = head.readUInt32BE(1)
    if (!isFrameType(type) || length === 0 || length > dumpLimits.frameBytesMax) throw new DumpFault(PURE_NOISE)
    const payload = await read(length)
    if (payload === undefined) throw new DumpFault(CUT)
    if (type !== 'F') {
      digest.add(head)
      digest.add(payload)
    }
    return { type, payload }
  }

  const peek = async () => {
    next ??= await readFrame()
    return next
  }
  const take = async () => {
    const frame = await peek()
    if (frame === undefined) throw new DumpFault(CUT)
    next = undefined
    return frame
  }
  return { peek, take }
}

function isFrameType(type: string): type is FrameType {
  return TYPES.has(type)
}
