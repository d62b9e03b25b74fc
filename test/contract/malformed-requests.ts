export const HOST = 'Host: localhost'

/** The head of a request, as it goes over the wire. */
export const head = (line: string, ...headers: string[]): string =>
  `${[`${line} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`

/** What is no HTTP/1.1, and what no two readers agree on. */
export const MALFORMED: readonly (readonly [string, string])[] = [
  ['rubbish', 'RUBBISH\r\n\r\n'],
  ['a start of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['an unknown version', 'GET / HTTP/9.9\r\n\r\n'],
  ['an unknown method', head('BREW /', HOST)],
  ['a blank in the target', head('GET /a b', HOST)],
  ['no Host', head('GET /health')],
  ['two Hosts of a kind', head('GET /health', 'Host: a b')],
  ['a Host with a path', head('GET /health', 'Host: a/b')],
  ['a target that is no path', head('GET health', HOST)],
  ['the target *', head('OPTIONS *', HOST)],
  ['a dot segment before a route', head('GET /./metrics', HOST)],
  ['dots in the path', head('GET /api/../health', HOST)],
  ['dots that lead to the operator', head('GET /api/v1/x/../admin/projects', HOST)],
  ['encoded dots in the path', head('GET /x/%2e%2e/metrics', HOST)],
  ['half-encoded dots in the path', head('GET /x/%2E./metrics', HOST)],
  ['dots behind an encoded slash', head('GET /x%2F../metrics', HOST)],
  ['dots behind an encoded backslash', head('GET /x/..%5cmetrics', HOST)],
  ['dots behind two slashes', head('GET //x/../metrics', HOST)],
  ['dots above the root', head('GET /../../etc/passwd', HOST)],
  [
    'dots in a preflight',
    head('OPTIONS /./log', HOST, 'Origin: http://localhost:5173', 'Access-Control-Request-Method: PUT'),
  ],
  ['dots in an absolute target', head('GET http://x/../metrics', HOST)],
  ['encoded dots in an absolute target', head('GET http://x/y/%2e%2e/metrics', HOST)],
  ['a backslash in an absolute target', head('GET http://x\\..\\metrics', HOST)],
  ['an absolute target with a user', head('GET http://a:b@x/metrics', HOST)],
  ['a raw character beyond ASCII in the target', head('GET /api/v1/aliases/\u00e9', HOST)],
  ['HTTP/1.0 with chunks', `POST /api/v1/log HTTP/1.0\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a backslash in the path', head('GET /docs\\..\\x', HOST)],
  ['a broken absolute target', head('GET http://[::1/health', HOST)],
  ['a header without a name', head('GET /health', HOST, ': x')],
  ['a header without a colon', head('GET /health', HOST, 'X-Thing')],
  ['a folded header', head('GET /health', HOST, 'X-Thing: a', ' b')],
  ['a NUL in a header', head('GET /health', HOST, 'X-Thing: a\0b')],
  ['a bare CR in a header', head('GET /health', HOST, 'X-Thing: a\rX-Other: b')],
  ['two lengths', head('POST /api/v1/log', HOST, 'Content-Length: 1', 'Content-Length: 2')],
  ['a length and chunks', head('POST /api/v1/log', HOST, 'Content-Length: 1', 'Transfer-Encoding: chunked')],
  ['a negative length', head('POST /api/v1/log', HOST, 'Content-Length: -1')],
  ['a length that is no number', head('POST /api/v1/log', HOST, 'Content-Length: 1e3')],
  ['a header of 20,000 characters', head('GET /health', HOST, `X-Thing: ${'x'.repeat(20_000)}`)],
  ['4,000 headers', head('GET /health', HOST, ...Array.from({ length: 4_000 }, (_, index) => `X-${index}: 1`))],
  ['a target of 20,000 characters', head(`GET /${'x'.repeat(20_000)}`, HOST)],
]
