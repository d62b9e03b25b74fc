import { describe, expect, test } from 'vitest'
import { classifyFailure } from '../../src/db/failure.js'

const failure = (code: string) => Object.assign(new Error('connect'), { code })

describe('a failure of the database', () => {
  test.each(['ECONNREFUSED', 'EMFILE', 'ENFILE', '53300'])('%s is an outage, which passes', (code) => {
    expect(classifyFailure(new Error('The query failed.', { cause: failure(code) }))).toBe('unavailable')
  })

  test('is nothing that is known if its code is not', () => {
    expect(classifyFailure(failure('EISDIR'))).toBe('other')
  })
})
