import type { NoteKey } from '../../core/tlog/index.js'
import { openCheckpoint, parseNote } from '../../core/tlog/index.js'
import { createNodeVerifier } from '../../platform/node-ed25519.js'
import type { Guard, Remembered } from './guard.js'
import { readGuardFile, writeGuardFile } from './guard-file.js'
import type { TreeHead } from './tree-head.js'

export type GuardSettings = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'witness' | 'none' }

/** `logKey` is that of this log: what others signed is not believed. */
export function createGuard(settings: GuardSettings, logKey: NoteKey): Guard {
  let newest: TreeHead | null = null
  const seenSizes = new Map<string, number>()
  const disputing = new Set<string>()
  // What nobody has read yet is as little known as what cannot be read.
  let isReadable = settings.kind !== 'file'
  const recallFile = async (path: string): Promise<void> => {
    try {
      const bytes = await readGuardFile(path)
      newest = bytes === undefined ? null : await openOwnNote(logKey, bytes)
      isReadable = bytes === undefined || newest !== null
    } catch {
      isReadable = false
    }
  }
  const trouble = (): Remembered['trouble'] => {
    if (!isReadable) return 'guard-unreadable'
    if (settings.kind === 'witness' && disputing.size > 0) return 'forked'
    return settings.kind === 'witness' && seenSizes.size === 0 ? 'guard-unknown' : null
  }
  return {
    kind: settings.kind,
    // A size that a witness names is not signed: it bars only where the operator chose to go by it.
    known: () => ({
      newest,
      seenSize: settings.kind === 'witness' ? Math.max(0, ...seenSizes.values()) : 0,
      trouble: trouble(),
    }),
    learn: (witness, size) => void seenSizes.set(witness, size),
    dispute: (witness, isDisputed) => {
      if (isDisputed) disputing.add(witness)
      else disputing.delete(witness)
    },
    recall: async () => {
      if (settings.kind === 'file') await recallFile(settings.path)
    },
    remember: async (head, note) => {
      if (!isReadable) throw new Error('the guard file was not read, and must not be replaced by less than it holds')
      if (newest !== null && head.size <= newest.size) return
      if (settings.kind === 'file') await writeGuardFile(settings.path, note)
      newest = { size: head.size, root: head.root }
    },
  }
}

/** The head that a note of this log states; null unless the log's own key signed it. */
export async function openOwnNote(logKey: NoteKey, bytes: Uint8Array): Promise<TreeHead | null> {
  const parsed = parseNote(bytes)
  if (!parsed.ok) return null
  const opened = await openCheckpoint(createNodeVerifier(), { logs: [logKey], witnesses: [] }, parsed.note)
  return opened.ok ? { size: opened.checkpoint.size, root: opened.checkpoint.root } : null
}
