import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LockfileFormat, parseLockfile } from '../../src/core/lockfile/index.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'
import { digestsOf } from '../unit/lockfile-digests.js'

type Vector = { note: string; format: LockfileFormat; text: string; digests: [string, string, string] }
const VECTORS: Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/lockfiles/digests.json'), 'utf8'),
)
const EXAMPLE = VECTORS[0]?.text ?? ''
const TOML = { 'Content-Type': 'application/toml' }

let database: TestDatabase
let one: RunningService

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

const push = (key: string, body: string, query = '', headers: Record<string, string> = TOML) =>
  one.call(`/api/v1/lockfile${query}`, { method: 'PUT', key, body, headers })
const pull = (key: string, query = '', headers: Record<string, string> = {}) =>
  one.call(`/api/v1/lockfile${query}`, { key, headers })
const open = (key: string, digest: string) => one.call(`/api/v1/lockfile/${digest}`, { key })
const bind = (key: string, json: unknown) => one.call('/api/v1/aliases/bind', { key, json })
const keyOf = (name: string) => name.replaceAll(/[^a-zA-Z0-9]+/g, '-')
const digestOf = (text: string, format: LockfileFormat = 'toml') => {
  const result = parseLockfile(text, format, { bareModels: 'keep' })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return digestsOf(result.lockfile).current
}
const profile = (name: string, ...bindings: [alias: string, model: string][]) =>
  `[profiles.${name}]\nname = "${name}"\n${bindings.map(([alias, model]) => `[[profiles.${name}.bindings]]\nalias = "${alias}"\nmodels = ["${model}"]\n`).join('')}`
/** No profiles are said to be none, which no digest knows. */
function withProfiles(text: string, format: LockfileFormat): string {
  if (/profiles|aliases/.test(text)) return text
  return format === 'toml'
    ? `${text}\n[profiles]\n`
    : text.replace('{', text.trim() === '{}' ? '{"profiles":{}' : '{"profiles":{},')
}
const aliasesIn = (text: string) => [...text.matchAll(/^alias = "(.*)"$/gm)].map(([, alias]) => alias)

describe('a lockfile that is published', () => {
  it('changes nothing if it was pulled of aliases that were bound one by one', async () => {
    const key = keyOf('pulled and pushed')
    await bind(key, { alias: 'summarizer', model: 'openai:gpt-4o' })
    const bound = await bind(key, { alias: 'summarizer', model: 'openai:gpt-4o-mini', profile: 'staging' })
    for (const query of ['', '?profile=staging', '?profile=default']) {
      const { text, headers } = await pull(key)
      const pushed = await push(key, text, query)
      expect(pushed.json).toMatchObject({ changed: false, revision: bound.json.revision, lockfile: text })
      expect(pushed.json.digest).toBe(headers.get('x-lock-digest'))
    }
  })

  it('is bound, and has the digest that Python clients compute for the file', async () => {
    const answer = await push('example', EXAMPLE)
    expect(answer.json).toMatchObject({ revision: 1, changed: true, dry_run: false, warnings: [], lockfile: EXAMPLE })
    expect(answer.json.diff).toEqual({
      added: [
        {
          ...{
            profile: 'default',
            alias: 'summarizer',
            models: ['anthropic:claude-sonnet-4-5-20250929', 'openai:gpt-4o'],
          },
          constraints: { max_cost: 10, min_context: 100000 },
        },
      ],
      ...{ changed: [], removed: [] },
    })
    expect(answer.headers.get('x-lock-digest')).toMatch(/^39778a7b/)
    expect(answer.json.digest).toBe(answer.headers.get('x-lock-digest'))
    const resolved = await one.call('/api/v1/aliases/resolve?alias=summarizer', { key: 'example' })
    expect(resolved.json).toMatchObject({ model: 'anthropic:claude-sonnet-4-5-20250929', revision: 1 })
    const shown = await pull('example')
    expect(shown.headers.get('content-type')).toBe('application/toml')
    expect(shown.headers.get('x-lock-digest')).toBe(answer.json.digest)
    expect(digestOf(shown.text)).toBe(answer.json.digest)
  })

  it.each(VECTORS)(
    'is opened by each of its digests, and is the same: $note',
    async ({ note, format, text, digests }) => {
      const key = keyOf(`vector ${note}`)
      const sent = await push(key, withProfiles(text, format), '', { 'Content-Type': `application/${format}` })
      if (sent.status !== 200) {
        // What no JSON is, and what no database keeps.
        expect([400, 422]).toContain(sent.status)
        return void expect(text).toMatch(/NaN|Infinity|1E400|u0000|ud800/)
      }
      expect(sent.headers.get('x-lock-digest')).toBe(digests[0])
      for (const digest of digests) {
        const opened = await one.call(`/api/v1/lockfile/${digest}`, {
          ...{ key, headers: { Accept: 'application/json' } },
        })
        expect(digestOf(opened.text, 'json')).toBe(digests[0])
      }
    },
  )

  it('stays open for ever, whatever is bound, unbound and published later', async () => {
    const first = await push('for-ever', profile('default', ['a', 'o:1'], ['b', 'o:1'], ['c', 'o:1']))
    const file: string = first.json.lockfile
    expect((await open('for-ever', first.json.digest)).text).toContain('alias = "b"')
    const seen: [digest: string, text: string][] = [[first.json.digest, (await pull('for-ever')).text]]
    const steps = [
      () => bind('for-ever', { alias: 'b', model: 'o:2' }),
      () => one.call('/api/v1/aliases/a', { method: 'DELETE', key: 'for-ever' }),
      () => bind('for-ever', { alias: 'z', model: 'o:1', profile: 'other' }),
      () => push('for-ever', profile('default', ['d', 'o:1'], ['c', 'o:1'])),
      () => push('for-ever', file),
    ]
    for (const step of steps) {
      const answered = (await step()).headers.get('x-lock-digest')
      const shown = await pull('for-ever')
      const digest = digestOf(shown.text)
      expect([answered, shown.headers.get('x-lock-digest')]).toEqual([digest, digest])
      seen.push([digest, shown.text])
    }
    for (const [digest, text] of seen) expect((await open('for-ever', digest)).text).toBe(text)
    // The same file again is the same lockfile.
    expect(seen.at(-1)).toEqual(seen[0])
    expect(new Set(seen.map(([digest]) => digest)).size).toBe(steps.length)
    expect(aliasesIn(seen[1]?.[1] ?? '')).toEqual(['a', 'c', 'b'])
    expect(aliasesIn(seen[4]?.[1] ?? '')).toEqual(['d', 'c'])
  })

  it('gets its times once, and says which file to keep', async () => {
    const text = `# ours\n${profile('default', ['a', 'o:1'])}`
    const first = await push('times', text)
    const kept: string = first.json.lockfile
    expect(kept).toMatch(/^created_at = ".*\+00:00"\nupdated_at = ".*\+00:00"\n# ours\n/)
    expect(digestOf(kept)).toBe(first.json.digest)
    for (const again of [kept, text]) {
      expect((await push('times', again)).json).toMatchObject({
        ...{ revision: 1, changed: false, digest: first.json.digest, lockfile: kept },
        diff: { added: [], changed: [], removed: [] },
      })
    }
    const later = await push('times', text.replace('o:1', 'o:2'))
    expect(later.json.revision).toBe(2)
    expect(later.json.lockfile.split('\n')[0]).toBe(kept.split('\n')[0])
    expect(later.json.digest).toBe(digestOf(later.json.lockfile))
  })

  it('takes one revision and one message, however much it changes', async () => {
    const lines = Array.from({ length: 300 }, (_, index): [string, string] => [`alias-${index}`, 'o:1'])
    const all = await push('bulk', profile('default', ...lines))
    expect(all.json).toMatchObject({ revision: 1, changed: true })
    const other = await push('bulk', profile('default', ...lines.slice(150).reverse(), ['new', 'o:2']))
    expect([other.json.revision, other.json.diff.added.length, other.json.diff.removed.length]).toEqual([2, 1, 150])
    expect(aliasesIn((await pull('bulk')).text)).toEqual([
      ...lines
        .slice(150)
        .reverse()
        .map(([alias]) => alias),
      'new',
    ])
    const revisions = await one.sql`
      select kind, to_json(profiles) as profiles from alias_revisions join alias_history using (project_id, revision)
      where alias = 'new' `
    expect(revisions.map((row) => ({ ...row }))).toEqual([{ kind: 'lockfile', profiles: ['default'] }])
  })

  it('keeps what is no part of it: the metadata of aliases', async () => {
    await bind('metadata', { alias: 'a', model: 'o:1', metadata: { owner: 'search' } })
    await push('metadata', profile('default', ['a', 'o:2']))
    const { json } = await one.call('/api/v1/aliases/a', { key: 'metadata' })
    expect(json).toMatchObject({ model: 'o:2', metadata: { owner: 'search' }, revision: 2 })
  })

  it('is only shown what it would change if that is asked for', async () => {
    await push('dry', profile('default', ['a', 'o:1']))
    const before = await pull('dry')
    const tried = await push(
      'dry',
      `updated_at = 2026-01-01T00:00:00Z\n${profile('default', ['a', 'o:2'])}`,
      '?dry_run=true',
    )
    expect(tried.json).toMatchObject({ revision: 1, changed: true, dry_run: true, diff: { changed: [{ alias: 'a' }] } })
    expect((await pull('dry')).text).toBe(before.text)
    const done = await push('dry', tried.json.lockfile)
    expect(done.json.digest).not.toBe(before.headers.get('x-lock-digest'))
    expect(done.json).toMatchObject({ revision: 2, changed: true })
  })

  it('leaves a project that never had an alias as it was if it is only tried', async () => {
    const tried = await push('dry-first', EXAMPLE, '?dry_run=true')
    expect(tried.json).toMatchObject({ revision: 0, changed: true, digest: expect.stringMatching(/^39778a7b/) })
    expect((await pull('dry-first')).status).toBe(404)
    const first = await push('dry-first', EXAMPLE, '?expected_revision=0')
    expect(first.json).toMatchObject({ revision: 1, digest: tried.json.digest })
  })

  it('is one of several that are published at once, each whole', async () => {
    const texts = Array.from({ length: 8 }, (_, index) =>
      profile('default', ...['a', 'b', 'c'].map((alias): [string, string] => [alias, `o:${index}`])),
    )
    const answers = await Promise.all(texts.map((text) => push('at-once', text)))
    expect(answers.map(({ json }) => json.revision).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    for (const { json } of answers) {
      const models = [...(await open('at-once', json.digest)).text.matchAll(/o:\d/g)].map(([model]) => model)
      expect([models.length, new Set(models).size]).toEqual([3, 1])
    }
  })

  it('decides about one profile if it is published in part', async () => {
    await push('part', `${profile('dev', ['a', 'o:1'])}${profile('prod', ['a', 'o:1'])}`)
    const answer = await push('part', `${profile('prod', ['a', 'o:2'])}${profile('dev')}`, '?profile=prod')
    expect(answer.json.diff).toMatchObject({ added: [], changed: [{ profile: 'prod' }], removed: [] })
    const whole = await pull('part')
    expect(whole.headers.get('x-lock-digest')).toBe(answer.json.digest)
    expect(digestOf(whole.text)).toBe(answer.json.digest)
    const dev = await pull('part', '?profile=dev')
    expect([dev.text.includes('o:1'), dev.text.includes('prod')]).toEqual([true, false])
    expect((await pull('part', '?profile=none')).status).toBe(404)
    const unknown = await push('part', profile('prod'), '?profile=staging')
    expect([unknown.status, unknown.json.errors]).toEqual([
      422,
      [{ pointer: '/profiles', message: "has no profile 'staging'" }],
    ])
  })

  it('is refused if something changed after the revision that its author saw', async () => {
    await push('seen', profile('default', ['a', 'o:1']))
    await bind('seen', { alias: 'b', model: 'o:1' })
    const refused = await push('seen', profile('default', ['a', 'o:2']), '?expected_revision=1')
    expect([refused.status, refused.json.code, refused.json.revision]).toEqual([412, 'precondition-failed', 2])
    expect((await push('seen', profile('default', ['a', 'o:2']), '?expected_revision=2')).json.revision).toBe(3)
  })
})

describe('a file that cannot be published', () => {
  it.each([
    ['torn TOML', '[profiles.default', '', 'This is not TOML: line 1, column '],
    ['both spellings', '[profiles.a]\n[aliases.a]', '/aliases', 'The file has [profiles.…] and'],
    [
      'a model without provider',
      profile('default', ['ok', 'o:1'], ['a', 'gpt-4o']),
      '/profiles/default/bindings/1/models/0',
      "'gpt-4o' names no provider; write it as provider:model, like openai:gpt-4o-mini.",
    ],
    [
      'an alias twice',
      profile('default', ['a', 'o:1'], ['a', 'o:2']),
      '/profiles/default/bindings/1/alias',
      "'a' is bound at 0 already.",
    ],
    ['an unknown version', 'version = "9"\n[profiles]', '/version', "'9' is not a known version"],
    ['a byte order mark', '\uFEFFversion = "1.0"', '', 'The file begins with a byte order mark'],
    ['being empty', '', '/profiles', 'The file has no profiles. Send them as [[profiles.'],
    ['holding empty lines alone', ' \n\r\n', '/profiles', 'The file has no profiles.'],
    ['holding no more than a version', 'version = "1.0"\nprofile = "a"', '/profiles', 'The file has no profiles.'],
  ])('for %s is refused with the place, and nothing is written', async (name, text, pointer, message) => {
    const { status, json } = await push(keyOf(`bad ${name}`), text)
    expect([status, json.code, json.errors.length]).toEqual([422, 'validation-failed', 1])
    expect([json.errors[0].pointer, json.errors[0].message.slice(0, message.length)]).toEqual([pointer, message])
    expect((await pull(keyOf(`bad ${name}`))).status).toBe(404)
  })

  it('for naming no profiles unbinds nothing; one with an empty table of them unbinds everything', async () => {
    const JSON_TYPE = { 'Content-Type': 'application/json' }
    const bound = async () => (await one.call('/api/v1/aliases/', { key: 'nothing' })).json.length
    await push('nothing', profile('default', ['a', 'o:1']))
    for (const [body, type] of [
      ['{}', JSON_TYPE],
      ['{"version":"1.0","bindings":[]}', JSON_TYPE],
      ['# nothing', TOML],
    ] as const) {
      for (const query of ['', '?dry_run=true']) {
        const { status, json } = await push('nothing', body, query, type)
        expect([status, json.code, json.errors]).toMatchObject([422, 'validation-failed', [{ pointer: '/profiles' }]])
        expect(json.errors[0].message).toMatch(/\[profiles\], or \{"profiles": \{\}\} as JSON/)
      }
    }
    expect(await bound()).toBe(1)
    expect((await push('nothing', '{"profiles":{}}', '', JSON_TYPE)).json).toMatchObject({ revision: 2, changed: true })
    expect(await bound()).toBe(0)
    for (const table of ['profiles', 'aliases']) {
      await bind('nothing', { alias: 'again', model: 'o:1' })
      expect((await push('nothing', `[${table}]`)).status).toBe(200)
      expect(await bound()).toBe(0)
    }
    const shown = await pull('nothing')
    expect(shown.text).toMatch(/^\[profiles\]$/m)
    expect((await push('nothing', shown.text)).json).toMatchObject({ changed: false })
  })

  it('for its size, its type or its JSON is refused as everywhere', async () => {
    expect((await push('size', '#'.repeat(10 * 1024 * 1024))).status).toBe(413)
    expect((await push('size', 'x', '', { 'Content-Type': 'text/plain' })).status).toBe(415)
    expect((await push('size', '{"profiles":', '', { 'Content-Type': 'application/json' })).status).toBe(400)
    const deep = await push('size', '{"profiles":[]}', '', { 'Content-Type': 'application/json' })
    expect([deep.status, deep.json.errors[0].pointer]).toEqual([422, '/profiles'])
  })

  it('is shown all the same if it was bound by an old client: a model without a provider', async () => {
    await bind('bare', { alias: 'a', model: 'gpt-4o' })
    const shown = await pull('bare')
    expect(shown.text).toContain('models = ["gpt-4o"]')
    expect(digestOf(shown.text)).toBe(shown.headers.get('x-lock-digest'))
    expect((await push('bare', shown.text)).status).toBe(422)
  })
})

describe('a lockfile that is shown', () => {
  it('is TOML or JSON, each with a tag of its own', async () => {
    await push('formats', EXAMPLE)
    const toml = await pull('formats')
    const json = await pull('formats', '', { Accept: 'application/json' })
    expect(digestOf(json.text, 'json')).toBe(digestOf(toml.text))
    const tags = [toml, json].map(({ headers }) => headers.get('etag') ?? '')
    expect(tags[0]).toBe(`"${digestOf(toml.text)}"`)
    expect(tags[1]).not.toBe(tags[0])
    for (const headers of [toml, json].map((answer) => answer.headers))
      expect(headers.get('vary')).toBe('Accept, Origin')
    const again = (tag: string, accept: string) => pull('formats', '', { 'If-None-Match': tag, Accept: accept })
    expect((await again(tags[0] ?? '', 'application/toml')).status).toBe(304)
    expect((await again(`"x", W/${tags[0]}`, '*/*')).status).toBe(304)
    expect((await again('*', '*/*')).status).toBe(304)
    expect((await again(tags[1] ?? '', 'application/json')).status).toBe(304)
    expect((await again(tags[0] ?? '', 'application/json')).status).toBe(200)
    expect((await again('"x"', '*/*')).status).toBe(200)
  })

  it('of one profile stays the same, with its tag, whatever changes in another', async () => {
    const both = `${profile('staging', ['a', 'o:1'])}${profile('prod', ['a', 'o:1'])}`
    await push('apart', both)
    const first = await pull('apart', '?profile=staging')
    const pinned = profile('prod', ['a', 'o:3']).replace('[[', '[profiles.prod.registry_versions]\nopenai = 7\n[[')
    const steps = [
      () => bind('apart', { alias: 'a', model: 'o:2', profile: 'prod' }),
      () => push('apart', pinned, '?profile=prod'),
      () => one.call('/api/v1/aliases/a?profile=prod', { method: 'DELETE', key: 'apart' }),
    ]
    for (const step of steps) {
      const prod = await pull('apart', '?profile=prod')
      expect((await step()).status).toBe(200)
      const now = await pull('apart', '?profile=staging')
      expect([now.headers.get('etag'), now.text]).toEqual([first.headers.get('etag'), first.text])
      expect((await pull('apart', '?profile=prod')).headers.get('etag')).not.toBe(prod.headers.get('etag'))
    }
    await bind('apart', { alias: 'b', model: 'o:2', profile: 'staging' })
    expect((await pull('apart', '?profile=staging')).text).toContain('alias = "b"')
  })

  it('belongs to its project: a digest opens nothing elsewhere', async () => {
    const { json } = await push('mine', EXAMPLE)
    const foreign = await open('other', json.digest)
    const missing = await open('other', 'f'.repeat(64))
    expect([foreign.status, missing.status, foreign.json.detail]).toEqual([404, 404, missing.json.detail])
    expect((await open('mine', json.digest)).status).toBe(200)
    expect((await open('mine', json.digest.toUpperCase())).status).toBe(422)
    expect((await pull('never-bound')).status).toBe(404)
  })
})

describe('a lockfile that binds much less than before', () => {
  it('unbinds thousands of aliases of which the database has no statistics yet', async () => {
    await push(
      'thousands',
      profile('default', ...Array.from({ length: 4_900 }, (_, n): [string, string] => [`a${n}`, 'openai:x'])),
    )
    // A comparison of each with each takes the database several seconds.
    const impatient = await startService({ LLMRING_DATABASE_URL: database.url, LLMRING_DATABASE_TIMEOUT_MS: '2000' })
    const answer = await impatient.call('/api/v1/lockfile', {
      method: 'PUT',
      key: 'thousands',
      body: '[profiles]',
      headers: TOML,
    })
    await impatient.close()
    expect(answer).toMatchObject({ status: 200, json: { revision: 2, changed: true } })
    expect((await one.call('/api/v1/aliases/', { key: 'thousands' })).json).toEqual([])
  })
})
