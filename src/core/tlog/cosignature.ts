import { signatureBytes } from '../ed25519/index.js'
import { joinBytes } from './merkle-hash.js'
import { encodeText } from './plain-text.js'

const timeBytes = 8
const cosignatureBytes = timeBytes + signatureBytes

export interface Cosignature {
  /** Seconds since 1970: when the witness saw no larger tree of this log than the one it signs. */
  readonly time: number
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** What a witness signs (c2sp.org/tlog-cosignature, Ed25519): a heading, the time and the whole text of the checkpoint. */
export function cosignedMessage(time: number, text: string): Uint8Array {
  return encodeText(`cosignature/v1\ntime ${time}\n${text}`)
}

/** The time as eight bytes, big-endian, and the signature. Throws on a time that is no whole number of seconds. */
export function formatCosignature({ time, signature }: Cosignature): Uint8Array {
  if (!Number.isSafeInteger(time) || time < 0) throw new RangeError('The time of a cosignature is in whole seconds.')
  const head = new Uint8Array(timeBytes)
  new DataView(head.buffer).setBigUint64(0, BigInt(time))
  return joinBytes([head, signature])
}

/** Reads a cosignature; null if it has another length or a time beyond 2^53 - 1. */
export function parseCosignature(bytes: Uint8Array): Cosignature | null {
  if (bytes.length !== cosignatureBytes) return null
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset, timeBytes).getBigUint64(0))
  return Number.isSafeInteger(time) ? { time, signature: bytes.slice(timeBytes) } : null
}
