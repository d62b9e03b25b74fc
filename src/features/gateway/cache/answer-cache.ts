import { z } from 'zod'
import type { ProjectId } from '../../../access/principal.js'
import { picoFromDecimal } from '../../../core/pricing/index.js'
import { jaccard, type RequestKeys } from '../../../core/routing/index.js'
import { sha256HexOf } from '../../../platform/sha256.js'
import { GATEWAY_LIMITS } from '../limits.js'
import type { AnswerStore } from './memory-answers.js'

/** The headers of an answer that are kept with it. */
export const ROUTED_HEADER = /^X-LLM-Router-(Model|Tier|Score)$/i

const Answer = z.strictObject({
  /** The body, or all frames of a stream that came to its end. */
  text: z.string(),
  provider: z.string(),
  model: z.string(),
  /** What it cost in USD, which each answer out of the cache saves. */
  cost: z.string().refine((cost) => (picoFromDecimal(cost) ?? -1n) >= 0n),
  /** What its headers said of how it was routed. */
  headers: z.record(z.string().regex(ROUTED_HEADER), z.string().regex(/^[\x20-\x7e]*$/)),
})
/** By another question: where the answer is, and the words of the question it was given to. */
const Pointer = z.strictObject({ digest: z.string(), words: z.array(z.string()) })

export type CachedAnswer = z.output<typeof Answer>
type Found = { readonly how: 'HIT' | 'SEMANTIC'; readonly answer: CachedAnswer }
export type AnswerCache = {
  /** The answer to this very request, else to one that asks the same in other words. */
  find(projectId: ProjectId, keys: RequestKeys): Promise<Found | null>
  keep(projectId: ProjectId, keys: RequestKeys, answer: CachedAnswer, ttlMs: number): Promise<void>
}

/** Answers by request, in a store that may lose them, and of which the content is not trusted to be ours. */
export function createAnswerCache(store: AnswerStore, similarityMin: number): AnswerCache {
  const read = async <T>(shape: z.ZodType<T>, projectId: ProjectId, digest: string): Promise<T | null> => {
    const text = await store.get(projectId, digest)
    return text === null ? null : parse(shape, text)
  }
  return {
    find: async (projectId, { exact, similar }) => {
      const same = await read(Answer, projectId, digestOf(exact))
      if (same !== null) return { how: 'HIT', answer: same }
      if (similar === undefined) return null
      const pointer = await read(Pointer, projectId, digestOf(similar.key))
      if (pointer === null || jaccard(pointer.words, similar.words) < similarityMin) return null
      const answer = await read(Answer, projectId, pointer.digest)
      return answer === null ? null : { how: 'SEMANTIC', answer }
    },
    keep: async (projectId, { exact, similar }, answer, ttlMs) => {
      const text = JSON.stringify(answer)
      if (text.length > GATEWAY_LIMITS.cachedCharactersMax) return
      const digest = digestOf(exact)
      await store.set(projectId, digest, text, ttlMs)
      if (similar === undefined) return
      await store.set(projectId, digestOf(similar.key), JSON.stringify({ digest, words: similar.words }), ttlMs)
    },
  }
}

const digestOf = (key: string): string => sha256HexOf(key)

function parse<T>(shape: z.ZodType<T>, text: string): T | null {
  try {
    return shape.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
