/** How large a tree is, and its root hash. */
export type TreeHead = { readonly size: number; readonly root: Uint8Array }

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
