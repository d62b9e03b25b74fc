import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { clientAddress, networkOf } from '../../src/http/address.js'

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

describe('whom a limit counts', () => {
  const CASES: readonly (readonly [string, string])[] = [
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:51234', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:cb00:7109', '203.0.113.9'],
    ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
    ['[::ffff:203.0.113.9]:443', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:8080', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::9', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['64:ff9b::203.0.113.9', '64:ff9b:0:0::/64'],
    ['unknown', 'unknown'],
    ['203.0.113.9:x', '203.0.113.9:x'],
    ['', ''],
  ]
  test.each(CASES)('%j is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  test('is one and the same for every address of a /64, and another one for the next', () => {
    for (let host = 0; host < 0xffff; host += 251) {
      expect(networkOf(`2001:db8:a:b:${host.toString(16)}::1`)).toBe('2001:db8:a:b::/64')
      expect(networkOf(`2001:db8:a:${host.toString(16)}::1`)).toBe(`2001:db8:a:${host.toString(16)}::/64`)
    }
  })
})
