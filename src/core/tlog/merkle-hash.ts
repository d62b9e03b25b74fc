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
  let hashes = splitHashes(row)
  while (hashes.length > 1) {
    const above: Uint8Array[] = []
    for (const [at, left] of hashes.entries()) {
      const right = hashes[at + 1]
      if (at % 2 === 0 && right !== undefined) above.push(hashNode(sha256, left, right))
    }
    hashes = above
  }
  return hashes[0] ?? hashEmptyTree(sha256)
}

function splitHashes(row: Uint8Array): Uint8Array[] {
  return Array.from({ length: row.length / hashBytes }, (_, at) => row.subarray(at * hashBytes, (at + 1) * hashBytes))
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
