import { createHash } from 'node:crypto'
import type { TreeHead } from './tree-head.js'

/** The newest checkpoint that may be shown, and its strong validator. */
export type PublishedCheckpoint = TreeHead & {
  /** The signed note. */
  readonly note: Uint8Array<ArrayBuffer>
  /** How many cosigned it. */
  readonly witnesses: number
  readonly etag: string
  /** When this instance learnt of its size, in milliseconds. */
  readonly since: number
}

export type Published = {
  current(): PublishedCheckpoint | null
  /** Only goes forward: to a larger tree, or to more cosignatures of the same one. False if that was known already. */
  advance(checkpoint: TreeHead & { readonly note: string; readonly witnesses: number }): boolean
  /** Whether a step to this size, with so many cosignatures, would be no step forward. */
  isKnown(checkpoint: { readonly size: number; readonly witnesses: number }): boolean
  /** What was shown holds no more: the operator has accepted another head. */
  forget(): void
  /** Called after each step forward. */
  onAdvance(listener: (checkpoint: PublishedCheckpoint) => void): void
}

/** The strong validator of a note. */
export const etagOf = (note: string): string => `"${createHash('sha256').update(note).digest('base64url')}"`

export function createPublished(now: () => number): Published {
  let current: PublishedCheckpoint | null = null
  const listeners: ((checkpoint: PublishedCheckpoint) => void)[] = []
  const isKnown: Published['isKnown'] = ({ size, witnesses }) =>
    current !== null && (size < current.size || (size === current.size && witnesses <= current.witnesses))
  return {
    isKnown,
    forget: () => {
      current = null
    },
    current: () => current,
    onAdvance: (listener) => void listeners.push(listener),
    advance: ({ size, root, note, witnesses }) => {
      if (isKnown({ size, witnesses })) return false
      const since = size === current?.size ? current.since : now()
      current = { size, root, note: new TextEncoder().encode(note), witnesses, etag: etagOf(note), since }
      for (const listener of listeners) listener(current)
      return true
    },
  }
}
