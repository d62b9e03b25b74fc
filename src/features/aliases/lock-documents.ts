import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../access/principal.js'
import type { Tx } from '../../db/transact.js'
import type { Head } from './head.js'
import { ALIAS_LIMITS } from './limits.js'
import { changeProfiles, charactersOf, emptyDocument, type LockDocument } from './lock-document.js'
import type { LockStore } from './lock-store.js'

export type LockDocuments = {
  /** As it is at this head, which the transaction has locked. */
  read(tx: Tx, projectId: ProjectId, head: Pick<Head, 'epoch' | 'revision'>): Promise<LockDocument>
  /** Remembers what was committed. */
  keep(projectId: ProjectId, document: LockDocument): void
}

/**
 * The lockfiles of the projects that were written last. One that another instance has changed meanwhile is brought up to
 * date by what changed: reading 1,000 bindings for each write would be most of what the write costs.
 */
export function createLockDocuments(store: Pick<LockStore, 'readLock'>): LockDocuments {
  const documents = new LRUCache<ProjectId, LockDocument>({
    maxSize: ALIAS_LIMITS.lockDocumentCharactersMax,
    sizeCalculation: (document) => charactersOf(document) + 1,
  })
  return {
    read: async (tx, projectId, { epoch, revision }) => {
      const known = documents.get(projectId)
      const start = known?.epoch === epoch && known.revision <= revision ? known : emptyDocument(epoch)
      if (start.revision === revision) return start
      const { header, updatedAt, ...change } = await store.readLock(tx, projectId, start.revision, revision)
      return { epoch, revision, header, updatedAt, profiles: changeProfiles(start.profiles, change) }
    },
    keep: (projectId, document) => void documents.set(projectId, document),
  }
}
