import { describe, expect, test } from 'vitest'
import { isPublicAddress } from '../../src/features/webhooks/public-address.js'
import { faultOfUrl } from '../../src/features/webhooks/receiver-url.js'
import { createResolveHost, NOT_PUBLIC } from '../../src/features/webhooks/resolve-host.js'

/** By what they are: the first and the last address of a range where it has an edge. */
const NOT_PUBLIC_ADDRESSES = {
  'this network': ['0.0.0.0', '0.255.255.255'],
  private: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  shared: ['100.64.0.0', '100.127.255.255'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  'link-local': ['169.254.0.0', '169.254.255.255', 'fe80::1', 'febf:ffff::1', 'fe80::1%eth0'],
  metadata: ['169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  benchmarking: ['198.18.0.0', '198.19.255.255', '2001:2::1'],
  multicast: ['224.0.0.0', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  reserved: ['240.0.0.0', '255.255.255.255', '::', '4000::1'],
  'unique local': ['fc00::1', 'fdff:ffff::1'],
  'IPv4 inside of IPv6': [
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::127.0.0.1', '::8.8.8.8'],
    ...['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '2002:7f00:1::1', '2001:0:4136:e378::1'],
  ],
  'no address': ['', 'localhost', '8.8.8', '8.8.8.8.8', '0x7f000001', '2130706433', '[2606:4700::1111]'],
} as const

describe('an address that is not public', () => {
  test.each(Object.entries(NOT_PUBLIC_ADDRESSES))('is recognised: %s', (_kind, addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([])
  })

  test('is not one of these, next to the edges of the ranges', () => {
    const open = [
      ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
      ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
      ...['198.17.255.255', '198.20.0.0', '223.255.255.255', '168.63.129.15', '8.8.8.8'],
      ...['2606:4700::1111', '2001:4860:4860::8888', '2a00::1', '3ffe::1', '2000::1', '2003::1'],
    ]
    expect(open.filter((address) => !isPublicAddress(address))).toEqual([])
  })
})

describe('a host', () => {
  const names: Record<string, { address: string; family: number }[]> = {
    public: [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ],
    mixed: [
      { address: '8.8.8.8', family: 4 },
      { address: '::1', family: 6 },
    ],
    none: [],
  }
  const lookUp = async (name: string) => {
    const found = names[name]
    if (found === undefined) throw new Error('the name server says nothing')
    return found
  }
  const open = createResolveHost(false, lookUp)

  test.each([
    ['public', { ok: true, addresses: names['public'] }],
    ['mixed', { ok: false, reason: NOT_PUBLIC }],
    ['none', { ok: false, reason: 'its name has no address' }],
    ['silent', { ok: false, reason: 'its name could not be looked up' }],
    ['127.0.0.1', { ok: false, reason: NOT_PUBLIC }],
    ['[::1]', { ok: false, reason: NOT_PUBLIC }],
    ['[2606:4700::1111]', { ok: true, addresses: [{ address: '2606:4700::1111', family: 6 }] }],
  ])('%s is judged by every address of it', async (host, expected) => {
    expect(await open(host)).toEqual(expected)
  })

  test('may have any address if private ones are allowed', async () => {
    const privately = createResolveHost(true, lookUp)
    expect(await privately('mixed')).toEqual({ ok: true, addresses: names['mixed'] })
    expect(await privately('[::1]')).toEqual({ ok: true, addresses: [{ address: '::1', family: 6 }] })
  })

  test('that only this machine knows has no public address', async () => {
    expect((await createResolveHost(false)('localhost')).ok).toBe(false)
    expect(await createResolveHost(true)('localhost')).toMatchObject({ ok: true })
  })
})

describe('the URL of a receiver', () => {
  test.each([
    ['nonsense', 'must be a URL'],
    ['ftp://hooks.example/', 'must begin with https://'],
    ['http://hooks.example/', 'must begin with https://'],
    ['file:///etc/passwd', 'must begin with https://'],
    ['https://user:password@hooks.example/', 'must be without user and password'],
    ['https://user@hooks.example/', 'must be without user and password'],
    ['https://hooks.example/#part', 'must be without a fragment'],
    ['https://hooks.example/#', 'must be without a fragment'],
    [`https://hooks.example/${'é'.repeat(600)}`, 'must have at most 2048 characters'],
  ])('%s is refused', (text, fault) => {
    expect(faultOfUrl(text, false)).toContain(fault)
  })

  test('may be plain HTTP only if private addresses are allowed', () => {
    expect(faultOfUrl('http://127.0.0.1:9000/hook?team=1', true)).toBeUndefined()
    expect(faultOfUrl('ftp://127.0.0.1/', true)).toBe('must begin with https:// or http://')
    expect(faultOfUrl('https://hooks.example:8443/hook?team=1', false)).toBeUndefined()
  })

  test.each(['https://2130706433/', 'https://0x7f.1/', 'https://0177.0.0.1/', 'https://127.1/', 'https://①②⑦.0.0.1/'])(
    '%s is the loopback address, however it is written',
    async (text) => {
      expect(faultOfUrl(text, false)).toBeUndefined()
      expect(await createResolveHost(false)(new URL(text).hostname)).toEqual({ ok: false, reason: NOT_PUBLIC })
    },
  )
})
