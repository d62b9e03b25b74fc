import { LRUCache } from 'lru-cache'
import { type Filter, filterKey } from './filter.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { RegistryFile } from './registry-file.js'
import { type Rendered, renderRegistry, withEtag } from './render.js'
import type { Snapshot } from './snapshot.js'

type Parts = Pick<Snapshot, 'files' | 'warnings'>

/** Rendered answers, made once per content and filter. */
export type Answers = {
  answer(parts: Parts, filter: Filter): Rendered
  /** A file's own bytes. */
  file(file: RegistryFile): Rendered
}

/** The answers are keyed by what is in them, so current and archived ones share one bounded store and none goes stale. */
export function createAnswers(): Answers {
  const rendered = new LRUCache<string, Rendered>({
    max: REGISTRY_LIMITS.answersMax,
    maxSize: REGISTRY_LIMITS.answersBytesMax,
    sizeCalculation: ({ bytes }) => bytes.byteLength,
  })
  const keys = new WeakMap<Parts, string>()
  const keyOf = (parts: Parts): string => {
    let key = keys.get(parts)
    if (key === undefined) {
      key = JSON.stringify([parts.files.map(({ sha256 }) => sha256), parts.warnings])
      keys.set(parts, key)
    }
    return key
  }
  const files = new WeakMap<RegistryFile, Rendered>()
  return {
    file: (file) => {
      const answer = files.get(file) ?? withEtag(file.bytes)
      files.set(file, answer)
      return answer
    },
    answer: (parts, filter) => {
      const key = `${keyOf(parts)}${filterKey(filter)}`
      let answer = rendered.get(key)
      if (answer === undefined) {
        answer = renderRegistry(parts, filter)
        rendered.set(key, answer)
      }
      return answer
    },
  }
}
