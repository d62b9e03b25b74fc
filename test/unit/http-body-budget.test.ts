import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BodyAccount,
  createBodyBudget,
  createServiceBudget,
  weighPassed,
} from '../../src/http/body/body-budget.js'
import { createBodyLimits, readBytes } from '../../src/http/body/read-bytes.js'
import { createContext, endRequest } from '../../src/http/request-context.js'

const ONE = '203.0.113.1'
const OTHER = '203.0.113.2'
const thousand = () => createBodyBudget({ bytesMax: 1_000, callerShare: 1 / 2, publicShare: 1 / 10 })

describe('a budget for bodies', () => {
  test('has room for what all callers may hold, to the byte', () => {
    const budget = thousand()
    expect(budget.open(false, ONE).hold(500)).toBe(true)
    const account = budget.open(false, OTHER)
    expect([account.hold(501), account.hold(500), budget.held()]).toEqual([false, true, 1_000])
    expect(budget.open(false, '203.0.113.3').hold(1)).toBe(false)
  })

  test('has room for the share of one caller, whatever its connections', () => {
    const budget = thousand()
    expect(budget.open(false, '2001:db8::1').hold(400)).toBe(true)
    expect(budget.open(false, '2001:db8::2').hold(101)).toBe(false)
    expect(budget.open(false, '2001:db8:0:1::2').hold(101)).toBe(true)
  })

  test('has little room for routes without a key, and counts it in all', () => {
    const budget = thousand()
    expect(budget.open(true, ONE).hold(51)).toBe(false)
    expect(budget.open(true, ONE).hold(50)).toBe(true)
    expect(budget.open(true, OTHER).hold(50)).toBe(true)
    expect(budget.open(true, '203.0.113.3').hold(1)).toBe(false)
    expect([budget.open(false, ONE).hold(500), budget.held()]).toEqual([true, 600])
  })

  test('counts a large body twice where it is passed on: one of the largest of a caller, two in all', () => {
    const largest = 32 * 1_048_576
    const budget = createServiceBudget(largest, weighPassed)
    const account = budget.open(false, ONE)
    expect([account.hold(largest), budget.open(false, ONE).hold(1)]).toEqual([true, false])
    expect(budget.open(false, OTHER).hold(largest)).toBe(true)
    expect(budget.open(false, '203.0.113.3').hold(1_048_577)).toBe(false)
    account.close()
    const small = Array.from({ length: 64 }, () => budget.open(false, ONE).hold(1_048_576))
    expect(new Set(small)).toEqual(new Set([true]))
  })

  test('changes nothing where it says no', () => {
    const budget = thousand()
    const account = budget.open(false, ONE)
    account.hold(300)
    expect([account.hold(600), budget.held(), account.hold(500), budget.held()]).toEqual([false, 300, true, 500])
  })

  test('gives back once, and a closed account holds nothing any more', () => {
    const budget = thousand()
    const account = budget.open(true, ONE)
    account.hold(40)
    account.close()
    account.close()
    expect([budget.held(), account.hold(1), budget.held()]).toEqual([0, false, 0])
    expect(budget.open(true, ONE).hold(50)).toBe(true)
  })

  test('is whole again when all accounts are closed, whatever happened', () => {
    const step = fc.record({
      account: fc.nat(9),
      bytes: fc.nat(400),
      closes: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = thousand()
        const accounts: BodyAccount[] = Array.from({ length: 10 }, (_, index) =>
          budget.open(index % 2 === 0, index % 3 === 0 ? ONE : OTHER),
        )
        for (const { account, bytes, closes } of steps) {
          if (closes) accounts[account]?.close()
          else accounts[account]?.hold(bytes)
          expect(budget.held()).toBeLessThanOrEqual(1_000)
        }
        for (const account of accounts) account.close()
        expect(budget.held()).toBe(0)
        expect([budget.open(false, ONE).hold(500), budget.open(false, OTHER).hold(500)]).toEqual([true, true])
      }),
    )
  })
})

test.each([1_024, 4_194_304, 67_108_864])(
  'the budget of a service has room for the largest body (%i bytes)',
  (bytes) => {
    expect(createServiceBudget(bytes).open(false, ONE).hold(bytes)).toBe(true)
  },
)

describe('a body that was read', () => {
  test.each([
    ['of a length that was announced', { 'content-length': '21000' }],
    ['of a length that was not', {}],
  ])('keeps as much memory as it counts: one %s', async (_, headers) => {
    const budget = createBodyBudget({ bytesMax: 1_000_000, callerShare: 1, publicShare: 1 })
    const incoming = Object.assign(new PassThrough(), { headers })
    const context = createContext({
      requestId: 'a',
      startedAt: 0,
      address: '192.0.2.1',
      draining: new AbortController().signal,
    })
    const reading = readBytes(
      incoming as unknown as IncomingMessage,
      context,
      { ...createBodyLimits(100_000), budget },
      { isPublic: false, coding: 'identity' },
    )
    const held: number[] = []
    for (const size of [10_000, 10_000, 1_000]) {
      incoming.write(Buffer.alloc(size, 'x'))
      await new Promise((resolve) => setImmediate(resolve))
      held.push(budget.held())
    }
    incoming.end()
    const bytes = await reading
    expect([bytes.length, bytes.buffer.byteLength, budget.held()]).toEqual([21_000, 21_000, 21_000])
    expect(held[2]).toBe('content-length' in headers ? 21_000 : 40_000)
    endRequest(context, true)
    expect(budget.held()).toBe(0)
  })
})
