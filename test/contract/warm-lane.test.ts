import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Contract, openContractOfTwo } from './open-contract.js'

let contract: Contract
beforeAll(async () => {
  contract = await openContractOfTwo()
  const json = [
    { alias: 'summarizer', models: ['openai:gpt-4o-mini', 'anthropic:claude-sonnet-4'] },
    { alias: 'Ünï', model: 'openai:gpt-4o' },
    { alias: 'a.b:c/d~e', model: 'openai:gpt-4o', profile: 'staging' },
  ]
  const { key } = contract.ours
  const bound = await contract.ask('/api/v1/aliases/bulk_upsert', { key, json })
  expect(bound.status, bound.text).toBe(200)
})
afterAll(() => contract.close())

/** Asks (both ways, as `ask` does) until the snapshot and the key are in memory, then says whether the lane answered. */
async function takesLane(path: string, init: Parameters<Contract['ask']>[1]): Promise<boolean> {
  for (let attempt = 0; attempt < 4; attempt++) await contract.ask(path, init)
  const before = contract.laneAnswers()
  await contract.ask(path, init)
  return contract.laneAnswers() > before
}
const RESOLVE = '/api/v1/aliases/resolve'
const known = () => ({ key: contract.ours.key })

describe('the warm lane answers as the ordinary way does', () => {
  const plain: [string, string][] = [
    ['an alias', `${RESOLVE}?alias=summarizer`],
    ['an alias with a trailing slash in the path', `${RESOLVE}/?alias=summarizer`],
    ['an alias of another profile', `${RESOLVE}?profile=staging&alias=a.b:c/d~e`],
    ['the default profile by name', `${RESOLVE}?alias=summarizer&profile=default`],
  ]
  for (const [what, path] of plain) {
    test(`and takes ${what}`, async () => {
      expect(await takesLane(path, known())).toBe(true)
      expect(await takesLane(path, { ...known(), method: 'HEAD' })).toBe(true)
    })
  }

  for (const path of ['/receipts/public-key.pem', '/receipts/public-key.jwk', '/api/v1/receipts/public-key.jwk']) {
    test(`and takes ${path}`, async () => {
      expect(await takesLane(path, {})).toBe(true)
    })
  }

  for (const path of ['/registry', '/registry/', '/registry.json']) {
    test(`and takes ${path}, whole or as what the client has already`, async () => {
      expect(await takesLane(path, {})).toBe(true)
      const etag = (await contract.ask(path)).headers.get('etag') ?? ''
      for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        expect(await takesLane(path, { headers: { 'If-None-Match': tag } })).toBe(true)
        expect((await contract.ask(path, { headers: { 'If-None-Match': tag } })).status).toBe(304)
      }
      expect((await contract.ask(path, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200)
      expect(await takesLane(`${path}?providers=openai`, {})).toBe(false)
    })
  }

  const LISTS = '/api/v1/aliases'
  const listed: [string, string][] = [
    ['the list of a profile', `${LISTS}/?profile=default`],
    ['the list of a profile, without a trailing slash', `${LISTS}?profile=staging`],
    ['the list of all profiles', `${LISTS}/`],
    ['the list of a profile that has none', `${LISTS}/?profile=empty`],
    ['one alias', `${LISTS}/summarizer`],
    ['one alias by its profile', `${LISTS}/summarizer?profile=default`],
  ]
  for (const [what, path] of listed) {
    test(`and takes ${what}, whole or as what the client has already`, async () => {
      const { key } = known()
      await contract.ask(`${LISTS}/?profile=default`, { key })
      expect(await takesLane(path, { key })).toBe(true)
      expect(await takesLane(path, { key, method: 'HEAD' })).toBe(true)
      const etag = (await contract.ask(path, { key })).headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[0-9a-f]{8}-\d+"$/)
      for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const headers = { 'If-None-Match': tag }
        expect(await takesLane(path, { key, headers })).toBe(true)
        const answer = await contract.ask(path, { key, headers })
        expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', etag])
        expect(answer.headers.get('cache-control')).toBe('no-store')
      }
      expect((await contract.ask(path, { key, headers: { 'If-None-Match': '"other"' } })).status).toBe(200)
    })
  }

  const oddLists: [string, string][] = [
    ['a page', `${LISTS}/?limit=1`],
    ['an empty profile', `${LISTS}/?profile=`],
    ['a profile twice', `${LISTS}/?profile=default&profile=staging`],
    ['an alias that is not there', `${LISTS}/nobody`],
    ['an encoded alias', `${LISTS}/summ%61rizer`],
    ['an alias with a trailing slash', `${LISTS}/summarizer/`],
  ]
  for (const [what, path] of oddLists) {
    test(`and leaves ${what} to it`, async () => {
      await contract.ask(`${LISTS}/?profile=default`, known())
      expect(await takesLane(path, known())).toBe(false)
    })
  }

  test('and ends a list, and what the client has of it, with the change of its profile alone', async () => {
    const { key } = known()
    const path = `${LISTS}/?profile=default`
    const etagOf = async (where: string) => (await contract.ask(where, { key })).headers.get('etag') ?? ''
    const before = {
      list: await etagOf(path),
      all: await etagOf(`${LISTS}/`),
      one: await etagOf(`${LISTS}/summarizer`),
    }
    const bind = (profile: string, model: string) =>
      contract.ask(`${LISTS}/bind`, { key, json: { alias: 'other', model, profile } })
    await bind('elsewhere', 'openai:gpt-4o')
    expect(await etagOf(path)).toBe(before.list)
    expect(await etagOf(`${LISTS}/`)).not.toBe(before.all)
    await bind('default', 'openai:gpt-4o')
    const bound = await etagOf(path)
    expect(bound).not.toBe(before.list)
    expect(await etagOf(`${LISTS}/summarizer`)).toBe(before.one)
    await contract.ask(`${LISTS}/other`, { key, method: 'DELETE' })
    const headers = { 'If-None-Match': `${bound}, ${before.list}` }
    const after = await contract.ask(path, { key, headers })
    expect(after.status).toBe(200)
    expect(after.text).toContain('"summarizer"')
    expect(after.text).not.toContain('"other"')
  })

  test('and takes the refusal of a key that it remembers', async () => {
    const closed = await openContractOfTwo({ LLMRING_PROJECTS: 'closed' })
    try {
      const ask = () => closed.ask(`${RESOLVE}?alias=summarizer`, { key: 'nobody-has-this-key' })
      for (let attempt = 0; attempt < 4; attempt++) expect((await ask()).status).toBe(401)
      expect(closed.laneAnswers()).toBeGreaterThan(0)
    } finally {
      await closed.close()
    }
  })
  test('and takes the refusal of a request without a key', async () => {
    expect(await takesLane(`${RESOLVE}?alias=summarizer`, { key: null })).toBe(true)
  })
  test('and takes the refusal of a key whose role may not resolve', async () => {
    const { key } = await contract.makeKey(contract.ours.id, 'log')
    expect(await takesLane(`${RESOLVE}?alias=summarizer`, { key })).toBe(true)
  })

  const odd: [string, string, Record<string, string>?][] = [
    ['an unknown alias', `${RESOLVE}?alias=nobody`],
    ['no alias', RESOLVE],
    ['an empty alias', `${RESOLVE}?alias=`],
    ['an empty profile', `${RESOLVE}?alias=summarizer&profile=`],
    ['an alias twice', `${RESOLVE}?alias=summarizer&alias=b`],
    ['an encoded alias', `${RESOLVE}?alias=summ%61rizer`],
    ['a plus sign', `${RESOLVE}?alias=summarizer+x`],
    ['broken encoding', `${RESOLVE}?alias=summarizer%ff`],
    ['an unknown name', `${RESOLVE}?alias=summarizer&x=1`],
    ['a name without a value', `${RESOLVE}?alias=summarizer&profile`],
    ['an empty pair', `${RESOLVE}?alias=summarizer&`],
    ['a name longer than any', `${RESOLVE}?alias=${'a'.repeat(300)}`],
    ['an origin that may read', `${RESOLVE}?alias=summarizer`, { Origin: 'http://localhost:5173' }],
    ['an origin that may not', `${RESOLVE}?alias=summarizer`, { Origin: 'http://evil.example' }],
    ['an alias outside ASCII', `${RESOLVE}?alias=${encodeURIComponent('Ünï')}`],
  ]
  for (const [what, path, headers = {}] of odd) {
    test(`and leaves ${what} to it`, async () => {
      expect(await takesLane(path, { ...known(), headers })).toBe(false)
    })
  }

  test('and forgets an alias with its deletion', async () => {
    const { key } = known()
    const path = `${RESOLVE}?alias=fleeting`
    await contract.ask('/api/v1/aliases/bind', { key, json: { alias: 'fleeting', model: 'openai:gpt-4o' } })
    expect(await takesLane(path, { key })).toBe(true)
    await contract.ask('/api/v1/aliases/fleeting', { key, method: 'DELETE' })
    expect((await contract.ask(path, { key })).json).toMatchObject({ model: null })
  })

  test('and knows whose alias it is', async () => {
    expect(await takesLane(`${RESOLVE}?alias=summarizer`, { key: contract.theirs.key })).toBe(false)
    const answer = await contract.ask(`${RESOLVE}?alias=summarizer`, { key: contract.theirs.key })
    expect(answer.json).toMatchObject({ model: null })
  })
})

test('with a rate limit, no request passes by its count', async () => {
  const limited = await openContractOfTwo({ LLMRING_RATE_LIMIT_PER_KEY: '3' })
  try {
    const headers = { 'X-Project-Key': limited.ours.key }
    const statuses: number[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      statuses.push((await fetch(`${limited.url}${RESOLVE}?alias=summarizer`, { headers })).status)
    }
    expect(statuses.at(-1)).toBe(429)
    expect(limited.laneAnswers()).toBe(0)
  } finally {
    await limited.close()
  }
})
