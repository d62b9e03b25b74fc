import type { ProblemCode } from '../../src/platform/problem-catalogue.js'
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

/** 200, a pointer into the query or the body for a 422, or the code of another problem. */
export type Outcome = 200 | `query/${string}` | `/${string}` | ProblemCode

/**
 * Queries that mean something else than they seem, by path, and what becomes of them: 200, the place that a 422 names, or the
 * code of another problem.
 */
export const QUERIES: readonly (readonly [string, readonly (readonly [string, Outcome])[]])[] = [
  [
    '/api/v1/logs',
    [
      ['limit=1e9', 'query/limit'],
      ['limit=1e1', 'query/limit'],
      ['limit=0', 'query/limit'],
      ['limit=-1', 'query/limit'],
      ['limit=501', 'query/limit'],
      ['limit=1.5', 'query/limit'],
      ['limit=NaN', 'query/limit'],
      ['limit=Infinity', 'query/limit'],
      ['limit=9'.padEnd(400, '9'), 'query/limit'],
    ],
  ],
  [
    '/api/v1/logs',
    [
      ['offset=-1', 'query/offset'],
      ['offset=1e9', 'query/offset'],
      ['offset=0x1ffffffff', 'query/offset'],
      ['start_date=x', 'query/start_date'],
      ['start_date=9999-99-99', 'query/start_date'],
      ['start_date=2026-02-30', 'query/start_date'],
      [`start_date=${'1'.repeat(70)}`, 'query/start_date'],
    ],
  ],
  [
    '/api/v1/logs',
    [
      ["model=';select pg_sleep(9)--", 200],
      ['alias=%25', 200],
      ['origin=_', 200],
      ['start_date=-000001-01-01', 'query/start_date'],
      ['end_date=+275760-09-13', 'query/end_date'],
      ['start_date=0000-01-01', 'query/start_date'],
    ],
  ],
  [
    '/api/v1/stats',
    [
      ['group_by=year', 'query/group_by'],
      ['group_by=DAY', 'query/group_by'],
      ['group_by=__proto__', 'query/group_by'],
      ['tz=Etc/../UTC', 'query/tz'],
      ['tz=%5Bu-ca=hebrew%5D', 'query/tz'],
      ['by=__proto__', 'query/by'],
      ['by=model,alias,profile,origin,provider&format=csv', 200],
      ['start_date=2026-01-02&end_date=2026-01-01', 200],
      ['start_date=0001-01-01&end_date=9999-12-31', 'query/start_date'],
    ],
  ],
  [
    '/api/v1/receipts/',
    [
      ['limit=1e9', 'query/limit'],
      ['limit=0', 'query/limit'],
      ['limit=-5', 'query/limit'],
      ['limit=999999999999', 200],
      ['offset=1e9', 'query/offset'],
      ['offset=99999999999999999999', 'query/offset'],
      ['limit=%201', 'query/limit'],
    ],
  ],
  [
    '/api/v1/aliases/',
    [
      ['profile=%F0%9F%98%80', 200],
      [`profile=${'x'.repeat(256)}`, 'query/profile'],
      ['profile[]=a', 200],
      ['profile[$ne]=a', 200],
      ['__proto__[x]=1', 200],
      ['constructor=1', 200],
    ],
  ],
  [
    '/api/v1/aliases/resolve',
    [
      ['alias=a&alias=b', 200],
      ['alias=a&profile=', 200],
      ['ALIAS=a', 'not-found'],
      ['alias=a%26profile=b', 200],
      ['alias=%2e%2e', 'query/alias'],
    ],
  ],
  [
    '/registry',
    [
      ['providers=__proto__', 200],
      ['capabilities=constructor', 200],
      [`providers=${'a,'.repeat(5_000)}`, 'query/providers'],
      ['version=99999999', 'query/version'],
      ['version=openai@0', 'query/version'],
      ['version=../../x', 'query/version'],
    ],
  ],
]
/** Bodies that are JSON and still no good, or odd and good, by path, with their outcome as above. */
export const BODIES: readonly (readonly [string, string, Outcome])[] = [
  ['/api/v1/log', `{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"__proto__":{"cost":5}}`, 200],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":9007199254740993,"output_tokens":1}', '/input_tokens'],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":-0,"output_tokens":1e-7}', '/output_tokens'],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"cost":-1}', '/cost'],
  ['/api/v1/log', '{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"cost":1e300}', '/cost'],
  ['/api/v1/log', '{"provider":"p","provider":"q","model":"m","input_tokens":1,"output_tokens":1}', 200],
  [
    '/api/v1/log',
    `{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"metadata":${'{"a":'.repeat(30)}1${'}'.repeat(30)}}`,
    200,
  ],
  [
    '/api/v1/log',
    `{"provider":"p","model":"m","input_tokens":1,"output_tokens":1,"metadata":{"a":"${'x'.repeat(70_000)}"}}`,
    '/metadata',
  ],
  [
    '/api/v1/aliases/bind',
    '{"alias":"a","model":"m","constraints":{"min_context":1e12,"max_cost":1e-12,"requires":[]}}',
    200,
  ],
  ['/api/v1/aliases/bind', '{"alias":"a","model":["m"]}', '/model'],
  ['/api/v1/aliases/bind', '{"alias":{"toString":"x"},"model":"m"}', '/alias'],
  ['/api/v1/aliases/bulk_upsert', `[${'{"alias":"a","model":"m"},'.repeat(4_000)}{"alias":"a","model":"m"}]`, 200],
  ['/api/v1/receipts/issue', '{"id":"x","tokens":{"input":1e20,"output":1},"cost":{"amount":1e-320}}', '/model'],
  ['/api/v1/receipts/issue', JSON.stringify({ ...claimsOf('x'), cost: { amount: '1e999999999' } }), '/cost/amount'],
  [
    '/api/v1/receipts/issue',
    JSON.stringify({ ...claimsOf('x'), timestamp: '+275760-09-13T00:00:00.001Z' }),
    '/timestamp',
  ],
  ['/api/v1/receipts/', '{"receipt":{"id":"x","signature":"ed25519:"}}', 'receipt-not-verified'],
  [
    '/api/v1/receipts/',
    `{"receipt":{"receipt_id":"${'x'.repeat(9_000)}","signature":"${'A'.repeat(88)}"}}`,
    '/receipt',
  ],
  ['/api/v1/receipts/verify', '{"receipt":{"receipt":{"receipt":{}}}}', 200],
  ['/api/v1/receipts/verify', '{"signature":{"toString":1},"id":[],"tokens":null}', 200],
  ['/api/v1/receipts/verify', '{"id":"a","id":"b","signature":"ed25519:AAAA"}', 200],
]
