import type { NoteKey } from '../../../core/tlog/index.js'
import { openCheckpoint, parseNote } from '../../../core/tlog/index.js'
import { createNodeVerifier } from '../../../platform/node-ed25519.js'
import type { TreeHead } from '../tree-head.js'
import type { Guard, Remembered } from './guard.js'
import { prepareGuardFile, readGuardFile } from './guard-file.js'

export type GuardSettings = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'witness' | 'none' }

/** `logKey` is that of this log: what others signed is not believed. */
export function createGuard(settings: GuardSettings, logKey: NoteKey): Guard {
  const memory = createMemory(settings.kind === 'file' ? settings.path : null, logKey)
  const seenSizes = new Map<string, number>()
  const disputing = new Set<string>()
  const goesByWitnesses = settings.kind === 'witness'
  const trouble = (): Remembered['trouble'] => {
    if (!memory.isReadable()) return 'guard-unreadable'
    if (goesByWitnesses && disputing.size > 0) return 'forked'
    return goesByWitnesses && seenSizes.size === 0 ? 'guard-unknown' : null
  }
  return {
    kind: settings.kind,
    // A size that a witness names is not signed: it bars only where the operator chose to go by it.
    known: () => ({
      newest: memory.newest(),
      seenSize: goesByWitnesses ? Math.max(0, ...seenSizes.values()) : 0,
      trouble: trouble(),
    }),
    learn: (witness, size) => void seenSizes.set(witness, size),
    dispute: (witness, isDisputed) => {
      if (isDisputed) disputing.add(witness)
      else disputing.delete(witness)
    },
    recall: memory.recall,
    remember: memory.remember,
  }
}

/** The newest head that was signed, in a file if there is a path. */
function createMemory(path: string | null, logKey: NoteKey) {
  let newest: TreeHead | null = null
  let lastNote = ''
  // What nobody has read yet is as little known as what cannot be read.
  let isReadable = path === null
  const isBehind = (size: number): boolean => newest === null || size > newest.size
  /** Other instances may share the file, and be ahead: what they remembered is not set back. */
  const catchUp = async (shared: string): Promise<void> => {
    const bytes = await readGuardFile(shared).catch(() => undefined)
    if (bytes === undefined || new TextDecoder().decode(bytes) === lastNote) return
    const other = await openOwnNote(logKey, bytes)
    if (other !== null && isBehind(other.size)) newest = other
  }
  return {
    newest: () => newest,
    isReadable: () => isReadable,
    recall: async (): Promise<void> => {
      if (path === null) return
      try {
        const bytes = await readGuardFile(path)
        newest = bytes === undefined ? null : await openOwnNote(logKey, bytes)
        isReadable = bytes === undefined || newest !== null
      } catch {
        isReadable = false
      }
    },
    remember: async (head: TreeHead, note: string): Promise<void> => {
      if (!isReadable) throw new Error('the guard file was not read, and must not be replaced by less than it holds')
      if (!isBehind(head.size)) return
      if (path !== null) {
        // Written while the other is read: most of the time no instance is ahead, and each step of a file takes a turn.
        const [prepared] = await Promise.all([prepareGuardFile(path, note), catchUp(path)])
        if (!isBehind(head.size)) return prepared.discard()
        await prepared.place()
      }
      lastNote = note
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
