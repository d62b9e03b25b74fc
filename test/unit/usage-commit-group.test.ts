import { describe, expect, it } from 'vitest'
import type { UsageRow } from '../../src/features/usage/event.js'
import { type CommitFailure, classifyCommitFailure } from '../../src/features/usage/record/commit-failure.js'
import { type CommitDeps, commitGroup } from '../../src/features/usage/record/commit-group.js'
import { AppError } from '../../src/platform/errors.js'

const failure = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more })

describe('what a failed insert says', () => {
  it.each<[string, object, CommitFailure]>([
    ['22P02', {}, 'poison'],
    ['22003', {}, 'poison'],
    ['23502', {}, 'poison'],
    ['54000', {}, 'poison'],
    ['23514', { constraint_name: 'usage_logs_cost_status_check' }, 'poison'],
    ['23514', {}, 'no-partition'],
    ['23505', { constraint_name: 'usage_logs_pkey' }, 'duplicate'],
    // A living backend that refused: the statement was rolled back.
    ['57014', {}, 'not-written'],
    ['55P03', {}, 'not-written'],
    ['40P01', {}, 'not-written'],
    ['40001', {}, 'not-written'],
    ['53100', {}, 'not-written'],
    ['53300', {}, 'not-written'],
    ['25006', {}, 'not-written'],
    ['57P03', {}, 'not-written'],
    // Never sent.
    ['ECONNREFUSED', {}, 'not-written'],
    ['CONNECT_TIMEOUT', {}, 'not-written'],
    ['CONNECTION_ENDED', {}, 'not-written'],
    ['QUERY_NOT_SENT', {}, 'not-written'],
    ['ENOTFOUND', { syscall: 'getaddrinfo' }, 'not-written'],
    ['ETIMEDOUT', { syscall: 'connect' }, 'not-written'],
    ['EHOSTUNREACH', { syscall: 'connect' }, 'not-written'],
    // Under way.
    ['57P01', {}, 'unknown'],
    ['57P02', {}, 'unknown'],
    ['08006', {}, 'unknown'],
    ['CONNECTION_CLOSED', {}, 'unknown'],
    ['CONNECTION_DESTROYED', {}, 'unknown'],
    ['ECONNRESET', { syscall: 'read' }, 'unknown'],
    ['ETIMEDOUT', { syscall: 'read' }, 'unknown'],
    ['EPIPE', { syscall: 'write' }, 'unknown'],
    // Answered, but not as it should be.
    ['WRITE_UNCONFIRMED', {}, 'unknown'],
    // Our own mistakes.
    ['42703', {}, 'defect'],
    ['UNDEFINED_VALUE', {}, 'defect'],
  ])('%s %j: %s', (code, more, kind) => {
    expect(classifyCommitFailure(failure(code, more))).toBe(kind)
  })

  it('is a defect where it is no error of the driver at all', () => {
    expect(classifyCommitFailure(new TypeError('x is not a function'))).toBe('defect')
    expect(classifyCommitFailure('text')).toBe('defect')
  })
})

type Step = 'ok' | 'silence' | Error
const ROWS: readonly UsageRow[] = []

/** Commits a group while the database answers step by step; time passes only in pauses and in silences. */
async function commit(steps: readonly Step[], partitions: readonly (Error | undefined)[] = []) {
  const left = [...steps]
  const calls = { inserts: 0, ensures: 0, pauses: 0 }
  let now = 0
  const deps: CommitDeps = {
    insert: () => {
      calls.inserts += 1
      const step = left.shift()
      if (step === undefined) throw new Error('one insert too many')
      if (step === 'silence') return new Promise(() => undefined)
      return step === 'ok' ? Promise.resolve([]) : Promise.reject(step)
    },
    ensurePartitions: async () => {
      const error = partitions[calls.ensures]
      calls.ensures += 1
      if (error !== undefined) throw error
    },
    monotonicClock: () => now,
    pause: async (ms) => {
      calls.pauses += 1
      now += ms
    },
    commitMsMax: 5,
    outcomeMsMax: 100,
    outcomePauseMs: 25,
  }
  const outcome = await commitGroup(deps, ROWS).then(
    () => 'written',
    (error: unknown) => error,
  )
  return { outcome, ...calls }
}

const lost = failure('CONNECTION_CLOSED')
const refused = failure('ECONNREFUSED')
const poison = failure('22P02')
const duplicate = failure('23505')
const noPartition = failure('23514')
const said = (text: string) =>
  expect.objectContaining({ code: 'database-unavailable', message: expect.stringContaining(text) })

describe('a group', () => {
  it('that is written at once takes one statement', async () => {
    expect(await commit(['ok'])).toEqual({ outcome: 'written', inserts: 1, ensures: 0, pauses: 0 })
  })

  it.each([
    ['an item is to blame', poison],
    ['its ids are taken', duplicate],
    ['nobody knows why', failure('42703')],
  ])("that is refused because %s is given back with the database's own error", async (_, error) => {
    expect(await commit([error])).toMatchObject({ outcome: error, inserts: 1 })
  })

  it('that never reached the database is 503 at once, and nothing was written', async () => {
    const { outcome, inserts } = await commit([refused])
    expect(outcome).toEqual(said('nothing was written'))
    expect(outcome).toMatchObject({ extras: { retryAfterSeconds: 1, cause: refused } })
    expect(inserts).toBe(1)
  })

  it.each<[string, Step[]]>([
    ['was not written and is now', [lost, 'ok']],
    ['was written', [lost, duplicate]],
    ['was lost twice and written the second time', [lost, lost, duplicate]],
    ['finds the database starting again', [lost, refused, failure('57P03'), 'ok']],
    ['waits for the old backend until the statement is too slow', [lost, failure('57014'), duplicate]],
    ['gets no answer, and was written', ['silence', duplicate]],
    ['gets no answer twice', ['silence', 'silence', 'ok']],
  ])('whose connection is lost, which %s, is answered as written', async (_, steps) => {
    expect(await commit(steps)).toMatchObject({ outcome: 'written', inserts: steps.length, pauses: steps.length - 2 })
  })

  it('whose connection is lost is given back where an item is to blame: it was never written', async () => {
    expect(await commit([lost, poison])).toMatchObject({ outcome: poison })
  })

  it('whose outcome nobody can tell in time is 503, and says so', async () => {
    const { outcome, inserts } = await commit([lost, refused, refused, refused, refused])
    expect(outcome).toEqual(said('may or may not have been written'))
    expect(inserts).toBe(5)
  })

  it('of a month without a partition is written once there is one', async () => {
    expect(await commit([noPartition, 'ok'])).toMatchObject({ outcome: 'written', ensures: 1, inserts: 2 })
  })

  it('of a month that cannot get one is 503, and nothing was written', async () => {
    const { outcome } = await commit([noPartition], [failure('42501')])
    expect(outcome).toEqual(said('nothing was written'))
    const again = await commit([noPartition, noPartition])
    expect(again).toMatchObject({ outcome: said('nothing was written'), ensures: 1, inserts: 2 })
  })

  it('of a new month whose connection is lost is looked for like any other', async () => {
    expect(await commit([noPartition, lost, duplicate])).toMatchObject({ outcome: 'written' })
  })

  it('never tells of the database what the client should not read', async () => {
    const { outcome } = await commit([failure('53100', { message: 'could not extend file "base/16384/2619"' })])
    expect(outcome).toBeInstanceOf(AppError)
    expect((outcome as AppError).message).not.toContain('16384')
  })
})

describe('a group with marks', () => {
  const mark = { key: 'k', item: 0, sha256: 'aa', answer: '{}', markedAt: '2026-03-15T12:00:00.000Z' }
  const rows = [{}, { mark }, {}, { mark }] as unknown as readonly UsageRow[]
  const commitRows = (steps: readonly (readonly number[] | Error)[]) => {
    const left = [...steps]
    const sent: unknown[] = []
    const deps: CommitDeps = {
      insert: async (group) => {
        sent.push(group)
        const step = left.shift() ?? new Error('one insert too many')
        if (step instanceof Error) throw step
        return step
      },
      ensurePartitions: async (group) => sent.push(group),
      monotonicClock: () => 0,
      pause: async () => undefined,
      ...{ commitMsMax: 5, outcomeMsMax: 100, outcomePauseMs: 25 },
    }
    return commitGroup(deps, rows).then((replayed) => ({ replayed, sent }))
  }

  it('answers the places of the rows whose marks were there before', async () => {
    expect((await commitRows([[3]])).replayed).toEqual([3])
  })

  it('whose ids are found after a lost connection says of every marked row that its mark may hold another answer', async () => {
    expect((await commitRows([lost, duplicate])).replayed).toEqual([1, 3])
  })

  it('that is written by the second statement answers what that one says', async () => {
    expect((await commitRows([lost, [1]])).replayed).toEqual([1])
  })

  it('of a month without a partition asks for the partitions of its own rows, and sends the same rows again', async () => {
    expect((await commitRows([noPartition, []])).sent).toEqual([rows, rows, rows])
  })
})
