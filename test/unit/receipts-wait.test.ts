import { describe, expect, it } from 'vitest'
import { readLogWish, waitLogged } from '../../src/features/receipts/audit/wait-logged.js'
import { AppError } from '../../src/platform/errors.js'

const NEVER = new AbortController().signal
const ENDS = { signal: NEVER, draining: NEVER }
const canonical = new TextEncoder().encode('{"id":"a"}')
/** SHA-256 of these bytes, by another program. */
const ENTRY = '8489a5deb454a360345c7868bca8672de92b446caf3d3b014af6a56e3d549d30'

describe('a wish to hear of the log', () => {
  it.each([
    [{}, undefined, undefined],
    [{}, 'respond-async', undefined],
    [{}, 'wait=0', undefined],
    [{}, 'wait=5', { waitSeconds: 5, isProofWanted: false }],
    [{}, 'respond-async, wait="7"; x=1', { waitSeconds: 7, isProofWanted: false }],
    [{}, 'Wait = 3', { waitSeconds: 3, isProofWanted: false }],
    [{}, 'wait=999999', { waitSeconds: 60, isProofWanted: false }],
    [{}, 'await=5', undefined],
    [{}, 'wait=-5', undefined],
    [{ wait: 'logged' as const }, undefined, { waitSeconds: 60, isProofWanted: false }],
    [{ include: 'proof' as const }, undefined, { waitSeconds: 0, isProofWanted: true }],
    [{ include: 'proof' as const }, 'wait=2', { waitSeconds: 2, isProofWanted: true }],
  ])('%o and Prefer: %s', (query, prefer, wish) => {
    expect(readLogWish(query, prefer)).toEqual(wish)
  })
})

describe('waiting', () => {
  const proof = { index: 3, proof: [], checkpoint: new Uint8Array() }
  /** A log that knows everything from the start, or fails. */
  const logOf = (fails?: Error) => {
    const asked: unknown[] = []
    return {
      asked,
      waitLogged: async (entry: Uint8Array, msMax: number) => {
        asked.push(['wait', Buffer.from(entry).toString('hex'), msMax])
        if (fails !== undefined) throw fails
        return true
      },
      prove: async () => {
        asked.push('prove')
        return proof
      },
    }
  }

  it('asks for what is wished and no more', async () => {
    const log = logOf()
    expect(await waitLogged(log, canonical, { waitSeconds: 2, isProofWanted: false }, ENDS)).toEqual({
      ...{ isLogged: true, proof: null },
    })
    expect(await waitLogged(log, canonical, { waitSeconds: 0, isProofWanted: true }, ENDS)).toEqual({
      ...{ isLogged: false, proof },
    })
    expect(log.asked).toEqual([['wait', ENTRY, 2_000], 'prove'])
  })

  it('takes a log that refuses for one that has not logged it: the receipt is kept all the same', async () => {
    const log = logOf(new AppError('overloaded', 'Too many wait.'))
    expect(await waitLogged(log, canonical, { waitSeconds: 2, isProofWanted: true }, ENDS)).toEqual({
      ...{ isLogged: false, proof: null },
    })
    const broken = logOf(new Error('a fault of ours'))
    await expect(waitLogged(broken, canonical, { waitSeconds: 2, isProofWanted: true }, ENDS)).rejects.toThrow(
      'a fault',
    )
  })

  it.each(['signal', 'draining'] as const)('ends with the %s, also if that came before', async (which) => {
    const waiting = {
      prove: async () => null,
      waitLogged: (_entry: Uint8Array, _msMax: number, signal?: AbortSignal) =>
        new Promise<boolean>((resolve) => {
          if (signal?.aborted) resolve(false)
          signal?.addEventListener('abort', () => resolve(false), { once: true })
        }),
    }
    const end = new AbortController()
    const ends = { ...ENDS, [which]: end.signal }
    const wish = { waitSeconds: 60, isProofWanted: false }
    const news = waitLogged(waiting, canonical, wish, ends)
    end.abort()
    expect(await news).toEqual({ isLogged: false, proof: null })
    expect(await waitLogged(waiting, canonical, wish, ends)).toEqual({ isLogged: false, proof: null })
  })
})
