import { randomInt } from 'node:crypto'

/** Which of a rollup's shards a statement adds to. Shard 0 is what was folded. */
export type Shards = { use<T>(work: (shard: number) => Promise<T>): Promise<T> }

const LEAST = 2
const MOST = 2 ** 31 - 1

/**
 * As many as there are groups in flight, so that none waits for another's rows; the numbers are by chance, so that
 * instances have others, and if two had the same, one would wait, no more.
 */
export function createShards(lanes: number): Shards {
  const free = Array.from({ length: lanes }, () => randomInt(LEAST, MOST))
  return {
    use: async (work) => {
      const shard = free.pop() ?? randomInt(LEAST, MOST)
      try {
        return await work(shard)
      } finally {
        if (free.length < lanes) free.push(shard)
      }
    },
  }
}
