import { describe, expect, it } from 'vitest'
import { queryInteger } from '../../src/http/query-values.js'

const read = (text: string, most: number = Number.MAX_SAFE_INTEGER) => queryInteger(1, most).safeParse(text)
const fault = (text: string, most?: number) => read(text, most).error?.issues.map(({ message }) => message)

describe('a whole number in a query', () => {
  it('is read up to the largest that is allowed, and no further', () => {
    expect(read('9007199254740991').data).toBe(Number.MAX_SAFE_INTEGER)
    expect(read('200', 200).data).toBe(200)
    expect(fault('201', 200)).toEqual(['must be at most 200'])
    expect(fault('0')).toEqual(['must be at least 1'])
  })

  it('is said to be too large, however many digits it has', () => {
    for (const text of ['9007199254740992', '9007199254740993', '9223372036854775808', '9'.repeat(400)]) {
      expect(fault(text)).toEqual(['must be at most 9007199254740991'])
    }
  })

  it('is written in plain digits', () => {
    for (const text of ['1e1', '0x10', ' 5', '', '-1', '1.5', '٥']) {
      expect(fault(text)?.[0]).toBe('must be a whole number in decimal digits')
    }
  })
})
