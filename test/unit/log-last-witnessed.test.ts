import { beforeEach, describe, expect, test } from 'vitest'
import { formatNote, parsePolicy } from '../../src/core/tlog/index.js'
import type { StoredCheckpoint } from '../../src/features/transparency/checkpoint-store.js'
import { createPublished } from '../../src/features/transparency/published.js'
import { createLastWitnessed } from '../../src/features/transparency/witness/last-witnessed.js'
import { AppError } from '../../src/platform/errors.js'
import { cosignerOf, SignedLog } from '../support/signed-log.js'
import { sha256 } from './tlog-trees.js'

const [W1, W2] = [cosignerOf(21), cosignerOf(22)]
const log = new SignedLog().append(40)
const parsed = parsePolicy(
  sha256,
  Buffer.from(`witness w1 ${W1.keyText}\nwitness w2 ${W2.keyText}\ngroup both all w1 w2\nquorum both\n`),
)
if (!parsed.ok) throw new Error(parsed.reason)
const { policy } = parsed

let now: number
let kept: StoredCheckpoint[]
let asked: number[]
let trouble: Error | null
beforeEach(() => {
  now = 0
  kept = []
  asked = []
  trouble = null
})

async function stored(size: number, ...cosigners: readonly (typeof W1)[]): Promise<StoredCheckpoint> {
  const note = cosigners.reduce((signed, cosigner) => cosigner.cosign(signed), await log.note(size))
  const { root } = await log.checkpoint(size)
  return { size, root, note: Buffer.from(formatNote(note)).toString(), witnesses: cosigners.length }
}

function open(refuseWhileBarred: () => void = () => undefined, asks: typeof policy | null = policy) {
  const published = createPublished(() => now)
  const listLast = async (sizeMax: number) => {
    asked.push(sizeMax)
    if (trouble !== null) throw trouble
    return kept.filter(({ size }) => size <= sizeMax).toSorted((a, b) => b.size - a.size)
  }
  const witnessed = createLastWitnessed({
    policy: asks,
    store: { listLast },
    published,
    refuseWhileBarred,
    now: () => now,
  })
  const text = async () => Buffer.from((await witnessed()).note).toString()
  return { published, witnessed, text }
}

describe('the newest witnessed checkpoint', () => {
  test('is the newest that the whole quorum cosigned, and none that is larger than what is published', async () => {
    const { published, text } = open()
    published.advance(await stored(30))
    kept = [await stored(10, W1, W2), await stored(20, W1, W2), await stored(25, W1), await stored(40, W1, W2)]
    expect(await text()).toBe(kept[1]?.note)
    expect(asked).toEqual([30])
  })

  test('is the published one, without a question, if the quorum cosigned that, and if no witness is asked', async () => {
    const { published, text } = open()
    const newest = await stored(30, W1, W2)
    published.advance(newest)
    expect(await text()).toBe(newest.note)
    const alone = open(undefined, null)
    const plain = await stored(30)
    alone.published.advance(plain)
    expect(await alone.text()).toBe(plain.note)
    expect(asked).toEqual([])
  })

  test('is not found while nobody, or too few, have cosigned', async () => {
    const { published, witnessed } = open()
    published.advance(await stored(30))
    kept = [await stored(10, W1)]
    await expect(witnessed()).rejects.toMatchObject({ code: 'not-found' })
  })

  test('is looked for once a second, whoever asks, and again at once if the look failed', async () => {
    const { published, text } = open()
    published.advance(await stored(30))
    kept = [await stored(10, W1, W2)]
    await Promise.all([text(), text(), text()])
    now = 999
    await text()
    expect(asked).toHaveLength(1)
    kept = [await stored(20, W1, W2)]
    now = 1_000
    expect(await text()).toBe(kept[0]?.note)
    expect(asked).toHaveLength(2)
    now = 2_000
    trouble = new Error('away')
    await expect(text()).rejects.toThrow('away')
    trouble = null
    expect(await text()).toBe(kept[0]?.note)
  })

  test('is not shown while the history is in question', async () => {
    const { published, witnessed } = open(() => {
      throw new AppError('log-suspended', 'in question')
    })
    published.advance(await stored(30, W1, W2))
    await expect(witnessed()).rejects.toMatchObject({ code: 'log-suspended' })
  })

  test('has a validator of its own', async () => {
    const { published, witnessed } = open()
    published.advance(await stored(30))
    kept = [await stored(10, W1, W2)]
    const { etag } = await witnessed()
    expect(etag).toMatch(/^"[\w-]{43}"$/)
    expect(etag).not.toBe(published.current()?.etag)
  })
})
