/** SHA-256 at once: WebCrypto has none, so a browser brings an implementation of its own. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

export const hashBytes = 32

/** The hash of a leaf (RFC 6962 section 2.1): SHA-256 of 0x00 and the entry. */
export function hashLeaf(sha256: Sha256, entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length)
  input.set(entry, 1)
  return sha256(input)
}

/** The hash of an inner node (RFC 6962 section 2.1): SHA-256 of 0x01, the left and the right hash. */
export function hashNode(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * hashBytes)
  input[0] = 1
  input.set(left, 1)
  input.set(right, 1 + hashBytes)
  return sha256(input)
}

/** The root of the tree without leaves: SHA-256 of nothing. */
export function hashEmptyTree(sha256: Sha256): Uint8Array {
  return sha256(new Uint8Array(0))
}

/** The hash above adjacent subtrees, from left to right, of which each is higher than the one behind it. */
export function hashRagged(sha256: Sha256, subtrees: readonly Uint8Array[]): Uint8Array {
  return subtrees.reduceRight((right, left) => hashNode(sha256, left, right))
}

/** The hash above a power of two of hashes of one height, which stand behind each other in `row`. */
export function hashRow(sha256: Sha256, row: Uint8Array): Uint8Array {
  if (row.length === 0) return hashEmptyTree(sha256)
  const input = new Uint8Array(1 + 2 * hashBytes)
  input[0] = 1
  let hashes = row
  // Two hashes at a time are one of the row above; one input for all of them, since each is hashed at once.
  while (hashes.length > hashBytes) {
    const above = new Uint8Array(hashes.length / 2)
    for (let at = 0; at < above.length; at += hashBytes) {
      input.set(hashes.subarray(2 * at, 2 * (at + hashBytes)), 1)
      above.set(sha256(input), at)
    }
    hashes = above
  }
  return hashes
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
