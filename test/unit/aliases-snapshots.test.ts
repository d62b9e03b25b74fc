import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type Answers, resolveKind } from '../../src/features/aliases/resolve-snapshot.js'
import { createSnapshots, type Keeper, type Snapshots } from '../../src/features/aliases/snapshots.js'
import type { LoadedProfile } from '../../src/features/aliases/store.js'
import { AppError } from '../../src/platform/errors.js'
import { ALWAYS_REACHED } from '../../src/platform/reach.js'

const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' as ProjectId
const EPOCH = '4f9c1d80-3b52-4a6e-9d17-0c8e5a7b6f21'
const REGISTRY = { facts: () => undefined, loads: () => 0 }
const at = (revision: number, epoch = EPOCH): LoadedProfile => ({
  epoch,
  revision,
  bindings: [{ alias: 'a', model: `"x:${revision}"`, models: `["x:${revision}"]` }],
})

/** What the database answers, load by load; each may do something before its answer arrives. */
let answers: (() => LoadedProfile)[]
let loads: number
/** The aliases that alone were asked for. */
let asked: (string | undefined)[]
/** The head that the database says, asked for all projects at once; and how often it was asked. */
let head: { epoch: string; revision: number }
let heads: number
let now: number
/** By which the listener's last echo is older than the time. */
let silentMs: number
let away: boolean
let snapshots: Snapshots
let kept: Keeper<Answers>
beforeEach(() => {
  ;[answers, loads, asked, heads, now, silentMs, away] = [[], 0, [], 0, 0, 0, false]
  head = { epoch: EPOCH, revision: 0 }
  const unlessAway = () => {
    if (away) throw new AppError('database-unavailable', 'The database does not answer right now.')
  }
  snapshots = createSnapshots({
    readHeads: async (ids) => {
      heads += 1
      unlessAway()
      return new Map(ids.map((id) => [id, head]))
    },
    ...{ ageMs: () => silentMs, clock: () => now, staleMsMax: 300_000 },
    reach: { ...ALWAYS_REACHED, isAway: () => away },
  })
  kept = snapshots.keep(
    resolveKind(async (_project, _profile, only) => {
      asked.push(only)
      const answer = answers[Math.min(loads, answers.length - 1)] as () => LoadedProfile
      loads += 1
      await Promise.resolve()
      unlessAway()
      return answer()
    }, REGISTRY),
  )
})
const load = async (profile = 'default', alias = 'a') => kept.get(PROJECT, profile, alias)
const cached = (profile = 'default') => kept.inMemory(PROJECT, profile)
/** Time without a word from the database. */
const pass = (ms: number) => {
  now += ms
  silentMs += ms
}
const whileCommitted = (revision: number, loaded: LoadedProfile) => () => {
  snapshots.raiseFloor(PROJECT, revision)
  return loaded
}

describe('a load that shows less than what is known to be committed', () => {
  it('is repeated, and never installed', async () => {
    answers = [whileCommitted(2, at(1)), () => at(1), () => at(2)]
    expect((await load()).revision).toBe(2)
    expect(loads).toBe(3)
    expect(cached()?.content.bound.get('a')).toContain('x:2')
  })

  it('is given up after ten, with nothing installed', async () => {
    answers = [whileCommitted(2, at(1))]
    await expect(load()).rejects.toMatchObject({ code: 'database-unavailable' })
    expect(loads).toBe(10)
    expect(cached()).toBeUndefined()
  })

  it('is not shared with who asks after the commit', async () => {
    answers = [() => at(1), () => at(2)]
    const before = load()
    snapshots.raiseFloor(PROJECT, 2)
    const after = await load()
    expect(after.revision).toBe(2)
    expect((await before).revision).toBe(2)
  })

  it('is answered and not installed if the commit becomes known while it is rendered', async () => {
    const binding = {
      ...{ model: '"x:1"', models: '["x:1"]' },
      get alias() {
        snapshots.raiseFloor(PROJECT, 2)
        return 'a'
      },
    }
    answers = [() => ({ ...at(1), bindings: [binding] }), () => at(2)]
    expect((await load()).revision).toBe(1)
    expect(cached()).toBeUndefined()
    expect((await load()).revision).toBe(2)
  })

  it('is answered once, and asked for again, where messages may have been missed meanwhile', async () => {
    answers = [
      () => {
        snapshots.suspectAll()
        return at(1)
      },
      () => at(2),
    ]
    head = at(2)
    expect((await load()).revision).toBe(1)
    expect(cached()).toBeUndefined()
    expect((await load()).revision).toBe(2)
  })
})

describe('while messages may have been missed', () => {
  beforeEach(async () => {
    answers = [() => at(5), () => at(6)]
    head = at(5)
    await load()
  })

  it('nothing is answered until one query for all heads confirmed it; nothing is read anew then', async () => {
    answers = [() => at(5)]
    await Promise.all(['b', 'c'].map((profile) => load(profile)))
    snapshots.suspectAll()
    expect(cached()).toBeUndefined()
    await Promise.all(['default', 'b', 'c'].map((profile) => load(profile)))
    expect([heads, loads]).toEqual([1, 3])
    expect(['default', 'b', 'c'].map((profile) => cached(profile)?.revision)).toEqual([5, 5, 5])
  })

  it('the query alone is enough: whoever comes after it is answered from memory', async () => {
    snapshots.suspectAll()
    await new Promise(setImmediate)
    expect([cached()?.revision, heads, loads]).toEqual([5, 1, 1])
  })

  it('what changed is read anew', async () => {
    head = at(6)
    snapshots.suspectAll()
    expect([(await load()).revision, loads]).toEqual([6, 2])
  })

  it('a query that began before says nothing', async () => {
    const confirmed = cached()
    snapshots.suspectAll()
    snapshots.suspectAll()
    await new Promise(setImmediate)
    expect(confirmed?.revision).toBe(5)
    expect(cached()).toBeUndefined()
    await load()
    expect([heads, cached()?.revision]).toEqual([2, 5])
  })

  it.each([
    ['lost revisions that were known', { epoch: EPOCH, revision: 4 }],
    ['counts them anew', { epoch: 'e0000000-0000-4000-8000-000000000000', revision: 7 }],
  ])('a database that %s is believed', async (_what, restored) => {
    snapshots.raiseFloor(PROJECT, 5)
    answers = [() => at(5), () => at(restored.revision, restored.epoch)]
    head = restored
    snapshots.suspectAll()
    expect(await load()).toMatchObject(restored)
  })
})

describe('while the listener is silent and the database answers', () => {
  it('one query in two seconds confirms all that is asked for', async () => {
    answers = [() => at(5)]
    head = at(5)
    await load()
    pass(3_000)
    expect(cached()).toBeUndefined()
    expect((await load()).revision).toBe(5)
    pass(1_999)
    expect([cached()?.revision, heads, loads]).toEqual([5, 1, 1])
    pass(1)
    expect(cached()).toBeUndefined()
  })
})

describe('while the database is away', () => {
  beforeEach(async () => {
    answers = [() => at(5)]
    head = at(5)
    await load()
    pass(10_000)
    silentMs = 0
  })

  it('the last that was known is answered, with its age, for as long as the setting says', async () => {
    away = true
    expect([cached()?.staleSeconds, cached()?.revision]).toEqual([undefined, 5])
    pass(3_900)
    expect([cached()?.staleSeconds, cached()?.revision]).toEqual([3, 5])
    pass(296_099)
    expect([(await load()).staleSeconds, loads, heads]).toEqual([299, 1, 0])
    pass(1)
    expect(cached()).toBeUndefined()
    await expect(load()).rejects.toMatchObject({ code: 'database-unavailable' })
  })

  it('a state that is known to be an old one is answered, too, and its age begins with the change', async () => {
    snapshots.raiseFloor(PROJECT, 6)
    expect(cached()).toBeUndefined()
    pass(1_500)
    away = true
    expect([cached()?.staleSeconds, cached()?.revision]).toEqual([1, 5])
    away = false
    answers = [() => at(6)]
    expect(await load()).toMatchObject({ revision: 6 })
    expect(cached()?.staleSeconds).toBeUndefined()
  })

  it('the age of what became suspect counts from before', async () => {
    pass(2_000)
    away = true
    snapshots.suspectAll()
    silentMs = 0
    pass(1_000)
    snapshots.suspectAll()
    expect(cached()?.staleSeconds).toBe(3)
  })

  it('what was never asked for is not known', async () => {
    away = true
    await expect(load('other')).rejects.toMatchObject({ code: 'database-unavailable' })
  })
})

describe('a snapshot in memory', () => {
  it('ends at a newer revision, and not at its own or an older one', async () => {
    answers = [() => at(5)]
    await load()
    snapshots.raiseFloor(PROJECT, 5)
    snapshots.raiseFloor(PROJECT, 4)
    expect(cached()?.revision).toBe(5)
    snapshots.raiseFloor(PROJECT, 6)
    expect(cached()).toBeUndefined()
  })

  it('ends at a change of its own profile, however the news are ordered, and not at one of another', async () => {
    answers = [() => at(5)]
    await load()
    snapshots.raiseFloor(PROJECT, 7, ['other'])
    expect(cached()?.revision).toBe(5)
    snapshots.raiseFloor(PROJECT, 6, ['more', 'default'])
    expect(cached()).toBeUndefined()
  })

  it('of all profiles ends at a change of any of them', async () => {
    answers = [() => at(5)]
    await kept.get(PROJECT, undefined, 'a')
    const cachedOfAll = () => kept.inMemory(PROJECT, undefined)?.revision
    snapshots.raiseFloor(PROJECT, 5, ['any'])
    expect(cachedOfAll()).toBe(5)
    snapshots.raiseFloor(PROJECT, 6, ['any'])
    expect(cachedOfAll()).toBeUndefined()
  })
})

describe('what is read ahead of being asked for', () => {
  const LISTED = { name: 'list', isReadAhead: true }
  let reads: (string | undefined)[]
  let size: number
  let current: LoadedProfile
  const listed = () =>
    snapshots.keep({
      ...LISTED,
      load: async (_project, profile) => {
        reads.push(profile)
        return { ...current, render: async () => ({ content: profile, characters: size }) }
      },
    })
  beforeEach(() => {
    vi.useFakeTimers()
    ;[reads, size, current, answers] = [[], 10, at(1), [() => current]]
  })
  afterEach(() => {
    snapshots.close()
    vi.useRealTimers()
  })
  const soon = () => vi.advanceTimersByTimeAsync(1_000)

  it('is known when the database is away: the same profile in other ways, and all profiles', async () => {
    const lists = listed()
    await load('default')
    await soon()
    expect([reads, snapshots.count()]).toEqual([['default', undefined], 3])
    away = true
    pass(10_000)
    expect([undefined, 'default', 'other'].map((profile) => lists.inMemory(PROJECT, profile)?.staleSeconds)).toEqual([
      10,
      10,
      undefined,
    ])
  })

  it('waits for the database to be back', async () => {
    listed()
    await load('default')
    away = true
    await soon()
    expect(reads).toEqual([])
    away = false
    await soon()
    expect(reads).toEqual(['default', undefined])
  })

  it('is read again for a change, but not for each', async () => {
    listed()
    await load('default')
    await soon()
    for (let change = 2; change < 20; change++) {
      current = at(change)
      snapshots.raiseFloor(PROJECT, change)
      now += 1_000
      await load('default')
      await soon()
    }
    expect(reads.length).toBeGreaterThan(2)
    expect(reads.length).toBeLessThan(10)
  })

  it('takes no room of what was asked for', async () => {
    listed()
    size = 3 * 1024 * 1024
    for (const profile of ['a', 'b', 'c', 'd']) await load(profile)
    await soon()
    expect([reads.length > 2, snapshots.count()]).toEqual([true, 5])
    for (let profile = 0; profile < 124; profile++) await load(`p${profile}`)
    await soon()
    expect(['a', 'b', 'c', 'd', 'p0'].map((profile) => cached(profile)?.revision)).toEqual([1, 1, 1, 1, 1])
  })
})

describe('the load of a large profile', () => {
  it('lets everything else have its turn meanwhile', async () => {
    const slow = (name: string) => ({
      ...{ model: 'null', models: '[]' },
      get alias() {
        for (const end = performance.now() + 3; performance.now() < end; );
        return name
      },
    })
    answers = [() => ({ ...at(1), bindings: Array.from({ length: 30 }, (_, index) => slow(`a${index}`)) })]
    let turns = 0
    const turn = () => {
      turns += 1
      next = setImmediate(turn)
    }
    let next = setImmediate(turn)
    expect((await load()).content.bound.size).toBe(30)
    clearImmediate(next)
    expect(turns).toBeGreaterThan(5)
  })
})

describe('a profile that is larger than its project’s share', () => {
  const large = (revision: number): LoadedProfile => ({
    ...at(revision),
    bindings: [{ alias: 'a', model: '"x:1"', models: JSON.stringify(['x'.repeat(9_000_000)]) }],
  })

  it('is read whole once, and then row by row, for a minute', async () => {
    answers = [() => large(1), () => at(1), () => at(1), () => large(1)]
    const whole = await load()
    expect(whole.content.bound.get('a')?.length).toBeGreaterThan(9_000_000)
    expect((await load()).content.bound.get('a')).toContain('x:1')
    now = 59_999
    await load('default', 'b')
    now = 60_000
    await load()
    expect(asked).toEqual([undefined, 'a', 'b', undefined])
  })

  it('is never taken for known by one of its rows, and holds to the newest revision all the same', async () => {
    answers = [() => large(1), () => at(1), () => at(2)]
    await load()
    snapshots.raiseFloor(PROJECT, 2)
    expect((await load()).revision).toBe(2)
    expect(asked).toEqual([undefined, 'a', 'a'])
    expect(cached()).toBeUndefined()
  })

  it('is kept as soon as it fits', async () => {
    answers = [() => large(1), () => at(2)]
    await load()
    now = 60_000
    await load()
    expect(cached()?.revision).toBe(2)
  })

  it('is shared while it is read only by those who ask for the same row', async () => {
    answers = [() => large(1), () => at(1)]
    await load()
    await Promise.all(['a', 'a', 'b'].map((alias) => load('default', alias)))
    expect(asked).toEqual([undefined, 'a', 'b'])
  })
})
