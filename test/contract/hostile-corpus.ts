import { claimsOf } from './samples.js'

/** Texts that a program is tempted to take for something else. */
export const TEXTS: readonly string[] = [
  ...['résumé', '要約', '😀👩‍👩‍👧', 'e\u0301', '\u00e9', 'İstanbul', '\u202eevil', '\u200b', '\ufeffbom', '\u0085'],
  ...['a/b', '/', '//', 'a%2Fb', '%2F', '%', '100%', '%00', 'a+b', 'a b', ' a ', 'a\nb', '\u0001', '\u007f'],
  ...['resolve', 'bind', 'bulk_upsert', 'public-key.pem', 'null', 'undefined', '0', '-1'],
  ...['__proto__', 'constructor', 'hasOwnProperty', 'then', 'toJSON', '$ref', ':alias', '{alias}', '*'],
  ...["'; drop table aliases; --", "' or '1'='1", '" or 1=1', '$1', '#{1}', '%s', '\\', "E'\\000'", '{"a":1}', '[]'],
  ...['a?b', 'a#b', 'a&b=c', '...', '.hidden', 'a\r\nX-Injected: yes', '<script>alert(1)</script>'],
  ...['x'.repeat(255), 'é'.repeat(255), '\u{1f600}'.repeat(100)],
]

/** Queries that mean something else than they seem, by path. */
export const QUERIES: readonly (readonly [string, readonly string[]])[] = [
  [
    '/api/v1/logs',
    [
      'limit=1e9',
      'limit=1e1',
      'limit=0',
      'limit=-1',
      'limit=501',
      'limit=1.5',
      'limit=NaN',
      'limit=Infinity',
      'limit=9'.padEnd(400, '9'),
    ],
  ],
  [
    '/api/v1/logs',
    [
      'offset=-1',
      'offset=1e9',
      'offset=0x1ffffffff',
      'start_date=x',
      'start_date=9999-99-99',
      'start_date=2026-02-30',
      `start_date=${'1'.repeat(70)}`,
    ],
  ],
  [
    '/api/v1/logs',
    [
      "model=';select pg_sleep(9)--",
      'alias=%25',
      'origin=_',
      'start_date=-000001-01-01',
      'end_date=+275760-09-13',
      'start_date=0000-01-01',
    ],
  ],
  [
    '/api/v1/stats',
    [
      'group_by=year',
      'group_by=DAY',
      'group_by=__proto__',
      'start_date=2026-01-02&end_date=2026-01-01',
      'start_date=0001-01-01&end_date=9999-12-31',
    ],
  ],
  [
    '/api/v1/receipts/',
    [
      'limit=1e9',
      'limit=0',
      'limit=-5',
      'limit=999999999999',
      'offset=1e9',
      'offset=99999999999999999999',
      'limit=%201',
    ],
  ],
  [
    '/api/v1/aliases/',
    [
      'profile=%F0%9F%98%80',
      `profile=${'x'.repeat(256)}`,
      'profile[]=a',
      'profile[$ne]=a',
      '__proto__[x]=1',
      'constructor=1',
    ],
  ],
  [
    '/api/v1/aliases/resolve',
    ['alias=a&alias=b', 'alias=a&profile=', 'ALIAS=a', 'alias=a%26profile=b', 'alias=%2e%2e'],
  ],
  [
    '/registry',
    [
      'providers=__proto__',
      'capabilities=constructor',
      `providers=${'a,'.repeat(5_000)}`,
      'version=99999999',
      'version=openai@0',
      'version=../../x',
    ],
  ],
]
/** Bodies that are JSON and still no good, by path. */
export const BODIES: readonly (readonly [string, string])[] = [
  ['/api/v1/log', `{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"__proto__":{"cost":5}}`],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":9007199254740993,"output_tokens":1}'],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":-0,"output_tokens":1e-7}'],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"cost":-1}'],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"cost":1e300}'],
  ['/api/v1/log', '{"provider":"p","provider":"q","model":"m","input_tokens":1,"output_tokens":1}'],
  [
    '/api/v1/log',
    `{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"metadata":${'{"a":'.repeat(30)}1${'}'.repeat(30)}}`,
  ],
  [
    '/api/v1/log',
    `{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"metadata":{"a":"${'x'.repeat(70_000)}"}}`,
  ],
  [
    '/api/v1/aliases/bind',
    '{"alias":"a","model":"m","constraints":{"min_context":1e12,"max_cost":1e-12,"requires":[]}}',
  ],
  ['/api/v1/aliases/bind', '{"alias":"a","model":["m"]}'],
  ['/api/v1/aliases/bind', '{"alias":{"toString":"x"},"model":"m"}'],
  ['/api/v1/aliases/bulk_upsert', `[${'{"alias":"a","model":"m"},'.repeat(4_000)}{"alias":"a","model":"m"}]`],
  ['/api/v1/receipts/issue', '{"id":"x","tokens":{"input":1e20,"output":1},"cost":{"amount":1e-320}}'],
  ['/api/v1/receipts/issue', JSON.stringify({ ...claimsOf('x'), cost: { amount: '1e999999999' } })],
  ['/api/v1/receipts/issue', JSON.stringify({ ...claimsOf('x'), timestamp: '+275760-09-13T00:00:00.001Z' })],
  ['/api/v1/receipts/', '{"receipt":{"id":"x","signature":"ed25519:"}}'],
  ['/api/v1/receipts/', `{"receipt":{"receipt_id":"${'x'.repeat(9_000)}","signature":"${'A'.repeat(88)}"}}`],
  ['/api/v1/receipts/verify', '{"receipt":{"receipt":{"receipt":{}}}}'],
  ['/api/v1/receipts/verify', '{"signature":{"toString":1},"id":[],"tokens":null}'],
  ['/api/v1/receipts/verify', '{"id":"a","id":"b","signature":"ed25519:AAAA"}'],
]
