import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

/** A new UUIDv7 (RFC 9562) of a time in milliseconds since the Unix epoch. Those of one millisecond ascend. */
export type NewId = (nowMs: number) => string

const ID_BYTES = 16
/** One call of the system's generator costs as much as the rest of an id: it fills this many ids at once. */
const IDS_PER_FILL = 256

/** A source of ids with a pool of random bytes, each of which is used once. */
export function createIds(): NewId {
  const pool = new Uint8Array(ID_BYTES * IDS_PER_FILL)
  let used = pool.length
  let lastMs: number | undefined
  let seq = 0
  return (nowMs) => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const random = pool.subarray(used, used + ID_BYTES)
    used += ID_BYTES
    // RFC 9562, 6.2, method 1: a counter with a random start, one bit of which is left for counting.
    seq = nowMs === lastMs ? seq + 1 : startOf(random)
    lastMs = nowMs
    return v7({ msecs: nowMs, random, seq })
  }
}

const startOf = (random: Uint8Array): number => new DataView(random.buffer, random.byteOffset).getUint32(6) >>> 1
