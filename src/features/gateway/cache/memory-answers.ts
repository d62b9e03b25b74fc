import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../../access/principal.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** Where answers are kept, by project and the digest of their request. `null`: there is none, or it cannot be had. */
export type AnswerStore = {
  get(projectId: ProjectId, digest: string): Promise<string | null>
  set(projectId: ProjectId, digest: string, value: string, ttlMs: number): Promise<void>
  /** Forgets at most so many entries of a project, and says how many; 0 once none is left. */
  erase(projectId: ProjectId, entriesMax: number): Promise<number>
}

/** What an entry takes beside its characters. */
const ENTRY_OVERHEAD_BYTES = 512

/** Answers in the memory of this process: the least recently used go first, by number and by bytes. */
export function createMemoryAnswers(entriesMax: number): AnswerStore {
  const digests = new Map<ProjectId, Set<string>>()
  const kept = new LRUCache<string, Entry>({
    max: entriesMax,
    maxSize: GATEWAY_LIMITS.cacheBytesMax,
    // V8 keeps two bytes a character if one of them is not Latin-1.
    sizeCalculation: ({ value }) => ENTRY_OVERHEAD_BYTES + 2 * value.length,
    ttl: 1,
    disposeAfter: ({ projectId, digest }, key) => {
      if (kept.has(key)) return
      const left = digests.get(projectId)
      left?.delete(digest)
      if (left?.size === 0) digests.delete(projectId)
    },
  })
  const keyOf = (projectId: ProjectId, digest: string) => `${projectId} ${digest}`
  return {
    get: async (projectId, digest) => kept.get(keyOf(projectId, digest))?.value ?? null,
    set: async (projectId, digest, value, ttlMs) => {
      kept.set(keyOf(projectId, digest), { projectId, digest, value }, { ttl: ttlMs })
      if (!kept.has(keyOf(projectId, digest))) return
      const own = digests.get(projectId) ?? new Set()
      digests.set(projectId, own.add(digest))
    },
    erase: async (projectId, most) => {
      const gone = [...(digests.get(projectId) ?? [])].slice(0, most)
      for (const digest of gone) kept.delete(keyOf(projectId, digest))
      return gone.length
    },
  }
}

type Entry = { readonly projectId: ProjectId; readonly digest: string; readonly value: string }
