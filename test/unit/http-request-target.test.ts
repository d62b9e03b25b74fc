import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isUsableTarget } from '../../src/http/listen/request-target.js'

describe('a request target is used', () => {
  test.each([
    '/',
    '/health',
    '/api/v1/aliases/',
    '/api/v1/aliases/a%2Fb',
    '/api/v1/aliases/...',
    '/api/v1/aliases/.hidden',
    '/api/v1/aliases/a..b',
    '/api/v1/aliases/a.',
    '/api/v1/aliases/%2e%2e%2e',
    '/api/v1/aliases/%2ehidden',
    '/api/v1/aliases/a%252e%252e%252fb',
    '/api/v1/aliases/%5Cx',
    '/receipts/public-key.pem',
    '//health',
    '/health?x=/../y',
    '/health?x=..\\y',
    '/api/v1/aliases/resolve?alias=%2e%2e',
    '/health#part',
    'http://localhost:8000/health',
    'https://example.org/health?x=1',
    'http://example.org',
    'http://example.org?x=/../',
    'http://[::1]:8000/health',
  ])('as it was sent: %s', (target) => {
    expect(isUsableTarget(target)).toBe(true)
  })
})

describe('a request target is refused', () => {
  test.each([
    ['dot segments', '/./metrics'],
    ['dot segments', '/../metrics'],
    ['dot segments', '/x/../metrics'],
    ['dot segments', '/x/..'],
    ['dot segments', '/x/.'],
    ['dot segments', '/..'],
    ['dot segments', '//../metrics'],
    ['dot segments', '/x//../metrics'],
    ['dot segments', '/../?x=1'],
    ['dot segments', '/admin#/../public'],
    ['dot segments', '/x/..#part'],
    ['encoded dots', '/%2e/metrics'],
    ['encoded dots', '/x/%2e%2e/metrics'],
    ['encoded dots', '/x/%2E%2E/metrics'],
    ['encoded dots', '/x/%2E./metrics'],
    ['encoded dots', '/x/.%2e/metrics'],
    ['encoded dots', '/x/%2e'],
    ['encoded slashes', '/x/..%2fmetrics'],
    ['encoded slashes', '/x%2F../metrics'],
    ['encoded slashes', '/x%2f%2e%2e%2Fmetrics'],
    ['encoded slashes', '/api/v1/aliases/a%2F..%2Fb'],
    ['encoded backslashes', '/x/..%5cmetrics'],
    ['encoded backslashes', '/x%5C..%5Cmetrics'],
    ['backslashes', '/x\\metrics'],
    ['backslashes', '/\\metrics'],
    ['backslashes', '\\metrics'],
    ['backslashes', '/x\\..\\metrics?y'],
    ['an absolute form with dots', 'http://x/../metrics'],
    ['an absolute form with dots', 'http://x/./metrics'],
    ['an absolute form with dots', 'https://x:443/y/%2e%2e/metrics'],
    ['an absolute form with backslashes', 'http://x\\metrics'],
    ['an absolute form with backslashes', 'http:\\\\x\\metrics'],
    ['an absolute form without a host', 'http:///metrics'],
    ['an absolute form without a host', 'http:/metrics'],
    ['an absolute form with a user', 'http://user:password@x/metrics'],
    ['another scheme', 'ftp://x/metrics'],
    ['another scheme', 'HTTP://x/metrics'],
    ['no path', 'metrics'],
    ['no path', '*'],
    ['no path', '?x=/y'],
    ['no path', '@x/metrics'],
    ['no path', ''],
    ['what is not ASCII', '/\u00e9'],
    ['what is not ASCII', '/health?x=\u00ff'],
    ['what is not ASCII', '/a b'],
    ['what is not ASCII', '/a\tb'],
  ])('for %s: %s', (_, target) => {
    expect(isUsableTarget(target)).toBe(false)
  })
})

test('whatever is used means the same path to the URL standard', () => {
  const part = fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2f', '%5c', '\\', 'a', 'metrics', '//', '%25', ':', '@')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const target = `/${parts.join('')}`
      if (!isUsableTarget(target)) return
      expect(new URL(`http://localhost${target}`).pathname).toBe(target)
    }),
    { numRuns: 2_000 },
  )
})
