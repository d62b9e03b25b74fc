import { describe, expect, it } from 'vitest'
import { fetchShared, type SharedFetchDeps } from '../../src/features/registry/fetch-file.js'
import { MANIFEST } from '../../src/features/registry/providers.js'
import { readManifest } from '../../src/features/registry/registry-file.js'
import type { Lock, SharedFile } from '../../src/features/registry/shared-cache.js'

const NOW = 1_000_000_000
const bytes = new TextEncoder().encode('{"version":"a"}')
const read = (given: Uint8Array<ArrayBuffer>) => readManifest(MANIFEST, given)

/** What another instance left at each look, and what the lock says at each try. */
function world(looks: (SharedFile | undefined)[], locks: Lock[]) {
  const log: string[] = []
  const deps: SharedFetchDeps = {
    askOrigin: async () => {
      log.push('origin')
      return { kind: 'found', bytes }
    },
    clock: () => NOW,
    fetchMsMax: 5_000,
    cacheSeconds: 60,
    shared: {
      read: async () => looks.shift(),
      write: async (_path, file) => void log.push(`write ${file.fetchedAt}`),
      lock: async () => locks.shift() ?? { kind: 'taken' },
      unlock: async (_path, token) => void log.push(`unlock ${token}`),
    },
  }
  return { log, fetch: () => fetchShared(deps, MANIFEST.path, read) }
}
const held: Lock = { kind: 'held', token: 'mine' }

describe('sharing a fetch', () => {
  it('the winner asks the origin, shares the file and lets go', async () => {
    const { log, fetch } = world([], [held])
    expect(await fetch()).toMatchObject({ kind: 'fetched', fetchedAt: NOW })
    expect(log).toEqual(['origin', `write ${NOW}`, 'unlock mine'])
  })

  it('a file that was shared between the look and the lock is not fetched again', async () => {
    const { log, fetch } = world([undefined, { bytes, fetchedAt: NOW - 5 }], [held])
    expect(await fetch()).toMatchObject({ kind: 'fetched', fetchedAt: NOW - 5 })
    expect(log).toEqual(['unlock mine'])
  })

  it('a loser waits for the file, and takes its turn where the winner brought none', async () => {
    const shared = { bytes, fetchedAt: NOW }
    const waiting = world([undefined, undefined, shared], [])
    expect(await waiting.fetch()).toMatchObject({ kind: 'fetched' })
    expect(waiting.log).toEqual([])
    const turn = world([], [{ kind: 'taken' }, held])
    expect(await turn.fetch()).toMatchObject({ kind: 'fetched' })
    expect(turn.log).toEqual(['origin', `write ${NOW}`, 'unlock mine'])
  })

  it('a file from an instance whose clock is ahead is not from the future', async () => {
    const { fetch } = world([{ bytes, fetchedAt: NOW + 30_000 }], [])
    expect(await fetch()).toMatchObject({ kind: 'fetched', fetchedAt: NOW })
  })
})
