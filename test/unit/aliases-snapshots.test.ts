import { beforeEach, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { createSnapshots, type Snapshots } from '../../src/features/aliases/snapshots.js'
import type { LoadedProfile } from '../../src/features/aliases/store.js'

const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' as ProjectId
const at = (revision: number): LoadedProfile => ({
  revision,
  bindings: [{ alias: 'a', model: `"x:${revision}"`, models: `["x:${revision}"]` }],
})

/** What the database answers, load by load; each may do something before its answer arrives. */
let answers: (() => LoadedProfile)[]
let loads: number
/** Of each load, the one alias that was asked for, if it was one. */
let asked: (string | undefined)[]
let now: number
let snapshots: Snapshots
beforeEach(() => {
  answers = []
  loads = 0
  asked = []
  now = 0
  snapshots = createSnapshots({
    load: async (_projectId, _profile, alias) => {
      asked.push(alias)
      const answer = answers[Math.min(loads, answers.length - 1)] as () => LoadedProfile
      loads += 1
      await Promise.resolve()
      return answer()
    },
    ...{ ageMs: () => 0, clock: () => now, registry: { facts: () => undefined, loads: () => 0 } },
  })
})
const whileCommitted = (revision: number, loaded: LoadedProfile) => () => {
  snapshots.raiseFloor(PROJECT, revision)
  return loaded
}

describe('a load that shows less than what is known to be committed', () => {
  it('is repeated, and never installed', async () => {
    answers = [whileCommitted(2, at(1)), () => at(1), () => at(2)]
    expect((await snapshots.load(PROJECT, 'default', 'a')).revision).toBe(2)
    expect(loads).toBe(3)
    expect(snapshots.cached(PROJECT, 'default')?.answers.get('a')).toContain('x:2')
  })

  it('is given up after ten, with nothing installed', async () => {
    answers = [whileCommitted(2, at(1))]
    await expect(snapshots.load(PROJECT, 'default', 'a')).rejects.toMatchObject({ code: 'database-unavailable' })
    expect(loads).toBe(10)
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
  })

  it('is not shared with who asks after the commit', async () => {
    answers = [() => at(1), () => at(2)]
    const before = snapshots.load(PROJECT, 'default', 'a')
    snapshots.raiseFloor(PROJECT, 2)
    const after = await snapshots.load(PROJECT, 'default', 'a')
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
    answers = [() => ({ revision: 1, bindings: [binding] }), () => at(2)]
    expect((await snapshots.load(PROJECT, 'default', 'a')).revision).toBe(1)
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
    expect((await snapshots.load(PROJECT, 'default', 'a')).revision).toBe(2)
  })

  it('does not install itself after everything was forgotten', async () => {
    answers = [
      () => {
        snapshots.reset()
        return at(1)
      },
    ]
    await snapshots.load(PROJECT, 'default', 'a')
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
  })
})

describe('a snapshot in memory', () => {
  it('ends at a newer revision, and not at its own or an older one', async () => {
    answers = [() => at(5)]
    await snapshots.load(PROJECT, 'default', 'a')
    snapshots.raiseFloor(PROJECT, 5)
    snapshots.raiseFloor(PROJECT, 4)
    expect(snapshots.cached(PROJECT, 'default')?.revision).toBe(5)
    snapshots.raiseFloor(PROJECT, 6)
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
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
    answers = [() => ({ revision: 1, bindings: Array.from({ length: 30 }, (_, index) => slow(`a${index}`)) })]
    let turns = 0
    const turn = () => {
      turns += 1
      next = setImmediate(turn)
    }
    let next = setImmediate(turn)
    expect((await snapshots.load(PROJECT, 'default', 'a')).answers.size).toBe(30)
    clearImmediate(next)
    expect(turns).toBeGreaterThan(5)
  })
})

describe('a profile that is larger than its project’s share', () => {
  const large = (revision: number): LoadedProfile => ({
    revision,
    bindings: [{ alias: 'a', model: '"x:1"', models: JSON.stringify(['x'.repeat(9_000_000)]) }],
  })

  it('is read whole once, and then row by row, for a minute', async () => {
    answers = [() => large(1), () => at(1), () => at(1), () => large(1)]
    const whole = await snapshots.load(PROJECT, 'default', 'a')
    expect(whole.characters).toBeGreaterThan(9_000_000)
    expect((await snapshots.load(PROJECT, 'default', 'a')).answers.get('a')).toContain('x:1')
    now = 59_999
    await snapshots.load(PROJECT, 'default', 'b')
    now = 60_000
    await snapshots.load(PROJECT, 'default', 'a')
    expect(asked).toEqual([undefined, 'a', 'b', undefined])
  })

  it('is never taken for known by one of its rows, and holds to the newest revision all the same', async () => {
    answers = [() => large(1), () => at(1), () => at(2)]
    await snapshots.load(PROJECT, 'default', 'a')
    snapshots.raiseFloor(PROJECT, 2)
    expect((await snapshots.load(PROJECT, 'default', 'a')).revision).toBe(2)
    expect(asked).toEqual([undefined, 'a', 'a'])
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
  })

  it('is kept as soon as it fits', async () => {
    answers = [() => large(1), () => at(2)]
    await snapshots.load(PROJECT, 'default', 'a')
    now = 60_000
    await snapshots.load(PROJECT, 'default', 'a')
    expect(snapshots.cached(PROJECT, 'default')?.revision).toBe(2)
  })

  it('is shared while it is read only by those who ask for the same row', async () => {
    answers = [() => large(1), () => at(1)]
    await snapshots.load(PROJECT, 'default', 'a')
    await Promise.all(['a', 'a', 'b'].map((alias) => snapshots.load(PROJECT, 'default', alias)))
    expect(asked).toEqual([undefined, 'a', 'b'])
  })
})
