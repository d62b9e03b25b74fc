import { describe, expect, it } from 'vitest'
import { readIssueRequest } from '../../src/features/receipts/issue/claims.js'
import { IssueBody, PageQuery } from '../../src/features/receipts/schema.js'

const CLAIMS = {
  ...{ registry_version: 'openai@7', model: 'gpt-4o-mini', alias: 'summarizer', lock_digest: '' },
  ...{ tokens: { input: 1, output: 2 }, cost: { amount: '0.1' } },
}
const read = (json: object) => readIssueRequest(IssueBody.parse(json), JSON.stringify(json))
const messages = (json: object) => {
  const parsed = IssueBody.safeParse(json)
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
}

describe('the claims in a request to issue', () => {
  it('take null and an absent member for the same', () => {
    const nulls = { id: null, timestamp: null, provider: null, key_id: null, profile: null, registry_version: null }
    const { registry_version: _, ...rest } = CLAIMS
    expect(read({ ...CLAIMS, ...nulls })).toEqual(read(rest))
  })

  it('count cached input as none where nobody says otherwise, and drop a count that is null', () => {
    expect(read(CLAIMS).claims.tokens).toEqual({ cached_input: 0, input: 1, output: 2 })
    const tokens = { input: 1, output: 2, cached_input: 5, reasoning: 3, image: null }
    expect(read({ ...CLAIMS, tokens }).claims.tokens).toEqual({ cached_input: 5, input: 1, output: 2, reasoning: 3 })
  })

  it('take an empty key id for none: the first clients had to send one', () => {
    expect(read({ ...CLAIMS, key_id: '' }).claims.key_id).toBeUndefined()
    expect(read({ ...CLAIMS, key_id: 'k' }).claims.key_id).toBe('k')
  })

  it.each(['issued_at', 'issuer', 'project', 'evidence', 'seq', 'prev', 'usage', 'log'])(
    'must not say %s: that is a statement of ours',
    (name) => {
      expect(messages({ ...CLAIMS, [name]: 'server_observed' })).toEqual([
        `${name}: is stated by the service; leave it out`,
      ])
      expect(messages({ ...CLAIMS, [name]: null })).toEqual([])
    },
  )

  it('name the nested shape where the flat one was sent', () => {
    const flat = { receipt_id: 'r', model: 'm', alias: 'a', lock_digest: '', prompt_tokens: 1, total_cost: 1 }
    expect(messages(flat)).toEqual([
      expect.stringMatching(/^tokens: is required\. What is issued has the nested shape/),
      expect.stringMatching(/^cost: is required\. What is issued has the nested shape/),
    ])
  })

  it.each(['.', '..', 'public-key.pem', 'public-keys.json', 'uncertified', 'a/b', '', 'x'.repeat(129), 'ä'])(
    'refuse the id %j',
    (id) => {
      expect(messages({ ...CLAIMS, id })[0]).toMatch(/^id: /)
    },
  )
})

describe('members that are not signed', () => {
  it('are none where everything is', () => {
    expect(read(CLAIMS).ignored).toBeUndefined()
  })

  it('are named, those of cost too', () => {
    const sent = { ...CLAIMS, total: 5, cost: { amount: '1', input: 0.5 }, 'sch warz': 1 }
    expect(read(sent).ignored).toBe('total, sch%20warz, cost/input')
  })

  it('are not worth a word where they say nothing: null, or the signature that is made anew', () => {
    expect(read({ ...CLAIMS, total: null, signature: '' }).ignored).toBeUndefined()
    expect(read({ ...CLAIMS, signature: 'placeholder' }).ignored).toBeUndefined()
  })

  it('make no header that is long or holds anything but ASCII', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`\r\nSet-Cookie: ${'😀'.repeat(40)}${at}`, 1]),
    )
    const { ignored = '' } = read({ ...CLAIMS, ...many })
    expect(ignored).toMatch(/^[\x21-\x7e ]+$/)
    expect(ignored.length).toBeLessThan(6_000)
  })

  it('are found even under the name __proto__', () => {
    const text = JSON.stringify(CLAIMS).replace('{', '{"__proto__":{"a":1},')
    expect(readIssueRequest(IssueBody.parse(JSON.parse(text)), text).ignored).toBe('__proto__')
  })
})

it('a member that occurs twice is refused, at any depth and however it is spelt', () => {
  const text = JSON.stringify(CLAIMS)
  const body = IssueBody.parse(CLAIMS)
  for (const twice of [
    text.replace('{', '{"model":"other",'),
    text.replace('"input"', '"\\u0069nput":9,"input"'),
    text.replace('"amount"', '"amount":"5","amount"'),
  ]) {
    expect(() => readIssueRequest(body, twice)).toThrow(/occurs twice/)
  }
})

describe('the page of a list', () => {
  const page = (limit?: string, offset?: string) => PageQuery.safeParse({ limit, offset })

  it('is 100 receipts from the start, and at most 1000', () => {
    expect(page().data).toEqual({ limit: 100, offset: 0 })
    expect(page('1000000000', '5').data).toEqual({ limit: 1_000, offset: 5 })
    expect(page('9'.repeat(64)).data?.limit).toBe(1_000)
  })

  it.each(['0', '-1', 'ten', '1e9', '1.0', '0x10', ' 5', '+5', '٣', '9'.repeat(65)])(
    'is refused with limit=%s',
    (limit) => {
      expect(page(limit).success).toBe(false)
    },
  )

  it.each(['-1', '1e3', 'x', '10000001', '9'.repeat(30)])('is refused with offset=%s', (offset) => {
    expect(page(undefined, offset).success).toBe(false)
  })
})
