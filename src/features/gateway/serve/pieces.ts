import { GATEWAY_LIMITS } from '../limits.js'

const { piecesAsTheyComeMax, blockBytes } = GATEWAY_LIMITS

/**
 * Pieces of an answer that wait, in their order. A piece is an object, and a view that keeps all of the bytes that came
 * with it: an answer in chunks of a byte took 300 bytes for each of its own, and five such answers 2 GB. So beyond a few
 * pieces the bytes are copied into blocks.
 */
export class Pieces {
  readonly #whole: Uint8Array[] = []
  /** Behind all others; what is written of it. */
  #block: Uint8Array | undefined
  #blockBytes = 0

  add(piece: Uint8Array): void {
    if (this.#block === undefined && this.#whole.length < piecesAsTheyComeMax) this.#whole.push(piece)
    else for (let at = 0; at < piece.length; ) at += this.#copy(piece.subarray(at))
  }

  /** The first one, or block; undefined if there is none. */
  take(): Uint8Array | undefined {
    return this.#whole.shift() ?? this.#takeBlock()
  }

  isEmpty(): boolean {
    return this.#whole.length === 0 && this.#block === undefined
  }

  clear(): void {
    this.#whole.length = 0
    this.#block = undefined
  }

  /** How many bytes had room. */
  #copy(bytes: Uint8Array): number {
    if (this.#block === undefined) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes)
      this.#blockBytes = 0
    }
    const fitting = bytes.subarray(0, blockBytes - this.#blockBytes)
    this.#block.set(fitting, this.#blockBytes)
    this.#blockBytes += fitting.length
    if (this.#blockBytes === blockBytes) {
      this.#whole.push(this.#block)
      this.#block = undefined
    }
    return fitting.length
  }

  #takeBlock(): Uint8Array | undefined {
    const block = this.#block?.subarray(0, this.#blockBytes)
    this.#block = undefined
    return block
  }
}
