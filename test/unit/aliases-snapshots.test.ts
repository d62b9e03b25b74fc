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
let snapshots: Snapshots
beforeEach(() => {
  answers = []
  loads = 0
  snapshots = createSnapshots({
    load: async () => {
      const answer = answers[Math.min(loads, answers.length - 1)] as () => LoadedProfile
      loads += 1
      await Promise.resolve()
      return answer()
    },
    ...{ ageMs: () => 0, clock: () => 0 },
  })
})
const whileCommitted = (revision: number, loaded: LoadedProfile) => () => {
  snapshots.raiseFloor(PROJECT, revision)
  return loaded
}

describe('a load that shows less than what is known to be committed', () => {
  it('is repeated, and never installed', async () => {
    answers = [whileCommitted(2, at(1)), () => at(1), () => at(2)]
    expect((await snapshots.load(PROJECT, 'default')).revision).toBe(2)
    expect(loads).toBe(3)
    expect(snapshots.cached(PROJECT, 'default')?.answers.get('a')).toContain('x:2')
  })

  it('is given up after ten, with nothing installed', async () => {
    answers = [whileCommitted(2, at(1))]
    await expect(snapshots.load(PROJECT, 'default')).rejects.toMatchObject({ code: 'database-unavailable' })
    expect(loads).toBe(10)
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
  })

  it('is not shared with who asks after the commit', async () => {
    answers = [() => at(1), () => at(2)]
    const before = snapshots.load(PROJECT, 'default')
    snapshots.raiseFloor(PROJECT, 2)
    const after = await snapshots.load(PROJECT, 'default')
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
    expect((await snapshots.load(PROJECT, 'default')).revision).toBe(1)
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
    expect((await snapshots.load(PROJECT, 'default')).revision).toBe(2)
  })

  it('does not install itself after everything was forgotten', async () => {
    answers = [
      () => {
        snapshots.reset()
        return at(1)
      },
    ]
    await snapshots.load(PROJECT, 'default')
    expect(snapshots.cached(PROJECT, 'default')).toBeUndefined()
  })
})

describe('a snapshot in memory', () => {
  it('ends at a newer revision, and not at its own or an older one', async () => {
    answers = [() => at(5)]
    await snapshots.load(PROJECT, 'default')
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
    expect((await snapshots.load(PROJECT, 'default')).answers.size).toBe(30)
    clearImmediate(next)
    expect(turns).toBeGreaterThan(5)
  })
})
