import { beforeEach, describe, expect, it } from 'vitest'
import { createReach } from '../../src/db/reach.js'
import { eventually } from '../support/eventually.js'

const LOST = Object.assign(new Error('lost'), { code: 'CONNECTION_CLOSED' })

let answering: boolean
let ageMs: number
let now: number
let lines: string[]
let reach: ReturnType<typeof createReach>
beforeEach(() => {
  ;[answering, ageMs, now, lines] = [true, 0, 0, []]
  const log = (_fields: object, line?: string) => void lines.push(line ?? '')
  const logger = { info: log, warn: log } as Parameters<typeof createReach>[0]['logger']
  const answers = async () => {
    now += 500
    return answering
  }
  reach = createReach({ answers, ageMs: () => ageMs, logger, clock: () => now })
  return () => reach.close()
})
/** A question whose first answers are lost with their connections. */
const losing = (times: number) => {
  let asked = 0
  return async () => {
    asked += 1
    if (asked <= times) throw LOST
    return asked
  }
}

describe('a question whose connection is lost', () => {
  it('is asked again while the database answers others, if an older answer is there to fall back on', async () => {
    expect(await reach.ask(losing(2), true)).toBe(3)
    await expect(reach.ask(losing(1), false)).rejects.toBe(LOST)
    await expect(reach.ask(losing(3), true)).rejects.toBe(LOST)
    expect([reach.isAway(), lines]).toEqual([false, []])
  })

  it('shows the database away once the listener is silent, too; one line when it begins and one when it ends', async () => {
    answering = false
    ageMs = 2_000
    await expect(Promise.all([reach.ask(losing(1), true), reach.ask(losing(1), true)])).rejects.toBe(LOST)
    expect([reach.isAway(), lines.length, now]).toEqual([true, 1, 500])
    answering = true
    await eventually(() => expect(reach.isAway()).toBe(false))
    expect(lines.length).toBe(2)
  })

  it('shows it away after three seconds without an answer, though the listener is heard', async () => {
    answering = false
    await expect(reach.ask(losing(1), true)).rejects.toBe(LOST)
    expect([reach.isAway(), now]).toEqual([true, 3_000])
    expect(await reach.ask(losing(0), false)).toBe(1)
    expect(reach.isAway()).toBe(false)
  })
})

it('what the database refuses says nothing about where it is', async () => {
  const refused = Object.assign(new Error('refused'), { code: '23505' })
  await expect(reach.ask(() => Promise.reject(refused), true)).rejects.toBe(refused)
  expect([reach.isAway(), now]).toEqual([false, 0])
})
