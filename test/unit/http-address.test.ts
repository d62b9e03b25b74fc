import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { clientAddress } from '../../src/http/address.js'

const PEER = '10.0.0.1'

/** A request as Node hands it over: several headers of one name are one value, joined by commas. */
const from = (forwarded: string | undefined): IncomingMessage =>
  ({
    socket: { remoteAddress: PEER },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage

describe("the client's address", () => {
  const CASES: readonly (readonly [string | undefined, number, string])[] = [
    [undefined, 0, PEER],
    ['203.0.113.9', 0, PEER],
    [undefined, 1, PEER],
    ['203.0.113.9', 1, '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9', 1, '203.0.113.9'],
    ['6.6.6.6,203.0.113.9,10.0.0.7', 2, '203.0.113.9'],
    ['1.1.1.1, 6.6.6.6, 203.0.113.9, 10.0.0.7, 10.0.0.8', 3, '203.0.113.9'],
    ['203.0.113.9', 3, '203.0.113.9'],
    ['  2001:db8::1  , 10.0.0.7', 2, '2001:db8::1'],
    ['', 1, PEER],
    [' , ', 2, PEER],
    ['203.0.113.9, ', 1, PEER],
    [`${'9'.repeat(65)}`, 1, PEER],
    [`${'9'.repeat(64)}`, 1, '9'.repeat(64)],
  ]
  test.each(CASES)('of X-Forwarded-For %j behind %i proxies is %s', (forwarded, proxies, address) => {
    expect(clientAddress(from(forwarded), proxies)).toBe(address)
  })

  test('is never what a client put in front of what the proxies wrote', () => {
    for (let proxies = 1; proxies <= 4; proxies++) {
      const written = ['203.0.113.9', ...Array.from({ length: proxies - 1 }, (_, index) => `10.0.0.${index}`)]
      for (const invented of ['6.6.6.6', '6.6.6.6, 7.7.7.7', ',,,', 'x'.repeat(5_000)]) {
        expect(clientAddress(from([invented, ...written].join(', ')), proxies)).toBe('203.0.113.9')
      }
    }
  })

  test('is empty where the connection is gone already', () => {
    expect(clientAddress({ socket: {}, headers: {} } as unknown as IncomingMessage, 0)).toBe('')
  })
})
