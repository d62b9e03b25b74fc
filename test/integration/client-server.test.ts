import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AliasClient } from '../../src/client/alias-client.js'
import { type ConnectOptions, connectServer } from '../../src/client/index.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let one: RunningService
const clients: AliasClient[] = []

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

function connect(key: string, options: Partial<ConnectOptions> = {}): AliasClient {
  const client = connectServer({ url: one.url, key, ...options })
  clients.push(client)
  return client
}
const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('a client of the service', () => {
  it('binds, resolves, lists and unbinds', async () => {
    const client = connect('life')
    const constraints = { min_context: 100_000, max_cost: 10 }
    await client.bindAlias('summarizer', 'openai:gpt-4o-mini, google:gemini-2.5-pro', { constraints, note: 'first' })
    await client.bindAlias('a b/ü?', ['openai:gpt-4o'], { profile: 'prod', metadata: { owner: 'search' } })
    expect(await client.resolveAlias('summarizer')).toBe('openai:gpt-4o-mini')
    expect(await client.resolveCandidates('summarizer')).toEqual(['openai:gpt-4o-mini', 'google:gemini-2.5-pro'])
    expect(await client.listAliases({ profile: 'prod' })).toEqual([
      { profile: 'prod', alias: 'a b/ü?', models: ['openai:gpt-4o'], constraints: null },
    ])
    expect(await client.listAliases()).toMatchObject([{ alias: 'summarizer', constraints }])
    expect(await client.unbindAlias('a b/ü?', { profile: 'prod' })).toBe(true)
    expect(await client.unbindAlias('a b/ü?', { profile: 'prod' })).toBe(false)
    expect(await client.hasAlias('a b/ü?', { profile: 'prod' })).toBe(false)
    expect(await one.sql`select 1 from alias_revisions where note = 'first'`).toHaveLength(1)
  })

  it('takes a name for what it is bound to first, then for the model that it names', async () => {
    const client = connect('names')
    await client.bindAlias('libA:x', 'openai:gpt-4o')
    expect(await client.resolveAlias('libA:x')).toBe('openai:gpt-4o')
    expect(await client.resolveAlias('ollama:llama3:8b')).toBe('ollama:llama3:8b')
    expect(await client.hasAlias('ollama:llama3:8b')).toBe(false)
    for (const name of ['other', 'openai:*', ':x', 'x:', '']) {
      await expect(client.resolveAlias(name)).rejects.toEqual(refused('alias-not-found', /profile 'default' of http/))
    }
    // A profile without the alias does not fall through to another.
    await expect(client.resolveAlias('summarizer', { profile: 'x' })).rejects.toMatchObject({ code: 'alias-not-found' })
  })

  it('names the context, all aliases that are missing, and the server', async () => {
    const client = connect('required', { profile: 'prod' })
    await client.bindAlias('there', 'openai:gpt-4o')
    await client.requireAliases(['there', 'there'])
    await expect(client.requireAliases(['a', 'there', 'b', 'a'], { context: 'search' })).rejects.toEqual(
      refused('aliases-missing', new RegExp(`^search: not bound in profile 'prod' of ${one.url}: 'a', 'b'\\.$`)),
    )
  })

  it('refuses a model without its provider before it is sent, and tells what the server refuses', async () => {
    const client = connect('refusals')
    await expect(client.bindAlias('a', 'gpt-4o')).rejects.toEqual(refused('bad-binding', /provider:model, like/))
    await expect(client.bindAlias('a', [])).rejects.toMatchObject({ code: 'bad-binding' })
    await expect(client.bindAlias('', 'openai:gpt-4o')).rejects.toMatchObject({
      code: 'server-refused',
      problem: { status: 422, code: 'validation-failed' },
    })
    await expect(connect('two words').bindAlias('a', 'x:y')).rejects.toMatchObject({ problem: { status: 400 } })
  })

  it('takes a wildcard for the model that the server takes it for, and says why it stands for none', async () => {
    const client = connect('wildcards')
    await client.bindAlias('cheap', 'openai:*', { constraints: { requires: ['vision'] } })
    const model = await client.resolveAlias('cheap')
    expect(model).toMatch(/^openai:[^*]+$/)
    await client.bindAlias('never', 'openai:*', { constraints: { min_context: 1e11 } })
    await expect(client.resolveAlias('never')).rejects.toEqual(refused('no-candidate', /min_context 100000000000/))
  })

  it('hears of what another client changed', async () => {
    const [writer, reader] = [connect('pair'), connect('pair')]
    const revisions: number[] = []
    const hearing = connect('pair', { onChange: (_profile, revision) => revisions.push(revision) })
    expect(await reader.hasAlias('a')).toBe(false)
    expect(await hearing.hasAlias('a')).toBe(false)
    await writer.bindAlias('a', 'openai:gpt-4o')
    await eventually(async () => expect(await reader.resolveAlias('a')).toBe('openai:gpt-4o'))
    await eventually(() => expect(revisions.at(-1)).toBe(1))
    await writer.unbindAlias('a')
    await eventually(async () => expect(await reader.hasAlias('a')).toBe(false))
  })

  it('reads anew what it does not follow once its cache is cleared', async () => {
    const [writer, reader] = [connect('unfollowed'), connect('unfollowed', { follow: false })]
    await writer.bindAlias('a', 'openai:gpt-4o')
    expect(await reader.resolveAlias('a')).toBe('openai:gpt-4o')
    await writer.bindAlias('a', 'openai:gpt-4o-mini')
    expect(await reader.resolveAlias('a')).toBe('openai:gpt-4o')
    reader.clearAliasCache()
    expect(await reader.resolveAlias('a')).toBe('openai:gpt-4o-mini')
  })

  it('fills an empty profile with aliases for common tasks, and no other', async () => {
    const client = connect('fill')
    const made = await client.initLockfile({ providers: ['openai', 'google'] })
    expect(made.find(({ alias }) => alias === 'summarizer')?.models).toEqual([
      expect.stringMatching(/^openai:/),
      expect.stringMatching(/^google:/),
    ])
    client.clearAliasCache()
    expect((await client.listAliases()).map(({ alias }) => alias).sort()).toEqual(made.map(({ alias }) => alias).sort())
    await expect(client.initLockfile()).rejects.toMatchObject({ code: 'lockfile-exists' })
    const bindings = [{ alias: 'mine', models: ['openai:gpt-4o'] }]
    expect(await client.initLockfile({ profile: 'own', bindings })).toHaveLength(1)
    await client.initLockfile({ bindings, force: true })
    client.clearAliasCache()
    expect(await client.hasAlias('mine')).toBe(true)
  })
})
