import { checkPublicKey, type PublicKey } from '../ed25519/index.js'
import { decodeBase64, encodeBase64 } from './base64.js'
import { joinBytes, type Sha256 } from './merkle-hash.js'
import { encodeText } from './plain-text.js'

/** What a key signs, by its type byte (c2sp.org/signed-note): a log its notes, a witness cosignatures. */
const KEY_TYPES = { note: 0x01, cosignature: 0x04 } as const
export type NoteKeyType = keyof typeof KEY_TYPES

export interface NoteKey {
  readonly name: string
  readonly type: NoteKeyType
  /** 8 hexadecimal digits: of SHA-256 over name, line feed, type byte and public key the first four bytes. */
  readonly id: string
  readonly publicKey: PublicKey
}

type NoteKeyFault = 'not-a-key' | 'bad-name' | 'unsupported-type' | 'wrong-key-id' | 'bad-public-key'

export type NoteKeyResult =
  | { readonly ok: true; readonly key: NoteKey }
  | { readonly ok: false; readonly reason: NoteKeyFault }

export const keyIdBytes = 4
const keyNameCharsMax = 255
const keyMaterialBytes = 33
/** A name, a key id, 44 characters of base64 and two plus signs. */
const keyTextCharsMax = keyNameCharsMax + 54
/** Unicode spaces and controls, and the plus sign. */
const NOT_IN_NAMES = /[\p{White_Space}\p{Cc}+]/u

/** Whether a text can name a key: 1 to 255 characters, without spaces, controls and plus signs. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= keyNameCharsMax && name.isWellFormed() && !NOT_IN_NAMES.test(name)
}

/** The key of a name. Throws if the name cannot be one (`isKeyName`). */
export function makeNoteKey(sha256: Sha256, name: string, type: NoteKeyType, publicKey: PublicKey): NoteKey {
  if (!isKeyName(name)) throw new RangeError('The name of a key has 1 to 255 characters, no spaces and no plus sign.')
  const hashed = sha256(joinBytes([encodeText(`${name}\n`), Uint8Array.of(KEY_TYPES[type]), publicKey.bytes]))
  return { name, type, id: readKeyId(hashed), publicKey }
}

/** `<name>+<8 hex>+<base64(type ‖ public key)>`: what a verifier is configured with. */
export function formatNoteKey({ name, type, id, publicKey }: NoteKey): string {
  return `${name}+${id}+${encodeBase64(joinBytes([Uint8Array.of(KEY_TYPES[type]), publicKey.bytes]))}`
}

/** Reads a verifier key in its one spelling; its id must be the one of its name, type and public key. */
export function parseNoteKey(sha256: Sha256, text: string): NoteKeyResult {
  if (text.length > keyTextCharsMax) return { ok: false, reason: 'not-a-key' }
  const match = /^([^+]*)\+([0-9a-f]{8})\+(.+)$/.exec(text)
  if (match === null) return { ok: false, reason: 'not-a-key' }
  const [, name = '', id, base64 = ''] = match
  if (!isKeyName(name)) return { ok: false, reason: 'bad-name' }
  const material = decodeBase64(base64, keyMaterialBytes)
  if (material === null) return { ok: false, reason: 'not-a-key' }
  const type = typeOf(material[0])
  if (type === null) return { ok: false, reason: 'unsupported-type' }
  const checked = checkPublicKey(material.subarray(1))
  if (!checked.ok) return { ok: false, reason: 'bad-public-key' }
  const key = makeNoteKey(sha256, name, type, checked.key)
  return key.id === id ? { ok: true, key } : { ok: false, reason: 'wrong-key-id' }
}

export function readKeyId(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, keyIdBytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function writeKeyId(id: string): Uint8Array {
  return Uint8Array.from({ length: keyIdBytes }, (_, at) => Number.parseInt(id.slice(2 * at, 2 * at + 2), 16))
}

function typeOf(byte: number | undefined): NoteKeyType | null {
  if (byte === KEY_TYPES.note) return 'note'
  return byte === KEY_TYPES.cosignature ? 'cosignature' : null
}
