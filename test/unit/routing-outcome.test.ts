import { describe, expect, it, test } from 'vitest'
import { type Outcome, type Verdict, verdictOf } from '../../src/core/routing/index.js'

const ROWS: readonly (readonly [string, Outcome, Verdict])[] = [
  ['an answer', { kind: 'answered' }, { step: 'stop', result: 'success', sign: 'fine' }],
  ['no connection', { kind: 'refused' }, { step: 'next', result: 'failure', sign: 'unreachable' }],
  ['silence', { kind: 'timeout' }, { step: 'next', result: 'failure', sign: 'unreachable' }],
  ['an answer that broke off', { kind: 'cut' }, { step: 'next', result: 'failure', sign: 'trouble' }],
  ['an answer that cannot be read', { kind: 'garbage' }, { step: 'next', result: 'failure', sign: 'trouble' }],
  ['a success with an error in it', { kind: 'error-in-answer' }, { step: 'next', result: 'failure', sign: 'trouble' }],
  ['a caller that left', { kind: 'cancelled' }, { step: 'stop', result: 'none', sign: 'none' }],
  ['the end of the time', { kind: 'out-of-time' }, { step: 'stop', result: 'none', sign: 'none' }],
  ['a fault of this service', { kind: 'own-fault' }, { step: 'stop', result: 'none', sign: 'none' }],
]
const failed = { step: 'next', result: 'failure', sign: 'trouble' }
const callersFault = { step: 'stop', result: 'success', sign: 'fine' }

describe('the verdict', () => {
  test.each(ROWS)('on %s', (_, outcome, verdict) => expect(verdictOf(outcome)).toEqual(verdict))

  test.each([500, 501, 502, 503, 504, 529, 599, 408, 425, 429])('on status %i tries another backend', (status) => {
    expect(verdictOf({ kind: 'status', status })).toEqual(failed)
  })

  test.each([401, 402, 403, 404])('on status %i, which the caller cannot mend, tries another', (status) => {
    expect(verdictOf({ kind: 'status', status })).toEqual(failed)
  })

  test.each([400, 405, 406, 410, 413, 415, 422, 451])(
    'on status %i, the fault of the caller, tries no other',
    (status) => {
      expect(verdictOf({ kind: 'status', status })).toEqual(callersFault)
    },
  )

  test.each([101, 204, 301, 304, 399])('on status %i, which is no answer to a POST, tries another', (status) => {
    expect(verdictOf({ kind: 'status', status })).toEqual(failed)
  })

  it('on a conflict tries another and holds it against none', () => {
    expect(verdictOf({ kind: 'status', status: 409 })).toEqual({ step: 'next', result: 'none', sign: 'none' })
  })
})
