import { describe, expect, it } from 'vitest'
import { createCopy } from '../../src/features/registry/copies.js'
import type { FetchFile } from '../../src/features/registry/fetch-file.js'
import { MANIFEST } from '../../src/features/registry/providers.js'
import type { Read, RegistryFile } from '../../src/features/registry/registry-file.js'

const SECOND = 1000
const bytesOf = (name: string) => new TextEncoder().encode(name)
/** A file whose hash is its text. */
const read: Read<RegistryFile> = (bytes) => {
  return { ok: true, file: { source: 'origin', target: MANIFEST, bytes, sha256: new TextDecoder().decode(bytes) } }
}

/** A copy with a time to live of 100 s whose fetches give what the test queued. */
function copyOf() {
  const world = { now: 1_000_000, answers: [] as (string | Error)[], kept: [] as string[], replaced: [] as string[] }
  const fetch: FetchFile = async (_path, readFile) => {
    const answer = world.answers.shift() ?? new Error('nothing queued')
    if (answer instanceof Error) return { status: 'failed', reason: answer.message }
    const result = readFile(bytesOf(answer))
    return result.ok ? { status: 'fetched', file: result.file, fetchedAt: world.now } : { status: 'failed', ...result }
  }
  const copy = createCopy<RegistryFile>({
    target: MANIFEST,
    fetch,
    read,
    keep: ({ sha256 }) => void world.kept.push(sha256),
    replaced: (before, after) => void world.replaced.push(`${before?.sha256 ?? 'none'}>${after.sha256}`),
    clock: () => world.now,
    cacheSeconds: 100,
  })
  return { world, copy }
}

describe('a copy', () => {
  it('is due at once, and after a load when its time to live is over', async () => {
    const { world, copy } = copyOf()
    expect(copy.state().dueAt).toBe(0)
    world.answers.push('a')
    expect(await copy.refresh()).toBe(true)
    expect(copy.state()).toMatchObject({ confirmedAt: world.now, dueAt: world.now + 100 * SECOND, stale: false })
  })

  it('is asked for again after 1, 2, 4 … seconds while the origin fails, never later than after a minute', async () => {
    const { world, copy } = copyOf()
    const waits: number[] = []
    for (let attempt = 0; attempt < 9; attempt++) {
      await copy.refresh()
      waits.push((copy.state().dueAt - world.now) / SECOND)
      world.now = copy.state().dueAt
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  it('keeps its file through failures, and is stale only once it is older than its time to live', async () => {
    const { world, copy } = copyOf()
    world.answers.push('a', new Error('down'))
    await copy.refresh()
    world.now += 99 * SECOND
    await copy.refresh()
    expect(copy.state()).toMatchObject({ file: { sha256: 'a' }, failure: 'down', stale: false })
    world.now += SECOND
    await copy.refresh()
    expect(copy.state()).toMatchObject({ file: { sha256: 'a' }, stale: true })
    world.answers.push('a')
    await copy.refresh()
    expect(copy.state()).toMatchObject({ failure: undefined, stale: false, dueAt: world.now + 100 * SECOND })
  })

  it('reports and replaces new content only, and keeps every confirmation', async () => {
    const { world, copy } = copyOf()
    world.answers.push('a', 'a', 'b')
    expect([await copy.refresh(), await copy.refresh(), await copy.refresh()]).toEqual([true, false, true])
    expect(world.replaced).toEqual(['none>a', 'a>b'])
    expect(world.kept).toEqual(['a', 'a', 'b'])
  })

  it('does not let an old kept copy take the place of a loaded one', async () => {
    const { world, copy } = copyOf()
    world.answers.push('new')
    await copy.refresh()
    copy.restore({ path: MANIFEST.path, bytes: bytesOf('old'), fetchedAt: 5 })
    expect(copy.state()).toMatchObject({ file: { sha256: 'new' }, confirmedAt: world.now })
  })
})
