import { afterAll, describe, expect, test } from 'vitest'
import { expectProblem } from './expect-problem.js'
import { keyFor, openContractOfTwo } from './open-contract.js'
import { askWith, expectDeclared } from './refused-samples.js'
import { refusedSampleOf, sampleOf } from './samples.js'

const contract = await openContractOfTwo()
const closed = await openContractOfTwo({ LLMRING_PROJECTS: 'closed', LLMRING_ADMIN_KEY: '' })
afterAll(() => Promise.all([contract.close(), closed.close()]))

const { ours, operations } = contract
const guarded = operations.filter((operation) => operation.access !== 'public')
const ofProjects = operations.filter((operation) => operation.access === 'project')
const ofOperator = operations.filter((operation) => operation.access === 'operator')

const WANTED_KEY = { public: /^$/, project: /the project key/, operator: /the admin key/ }

describe.concurrent.each(guarded)('$name', (operation) => {
  test('asks for a key', async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    for (const headers of [{}, { 'X-Project-Key': '' }, { 'X-API-Key': '  ' }, { Authorization: 'Basic eDp5' }]) {
      const answer = await askWith(contract, operation, sample, { key: null, headers })
      expectProblem(answer, 'key-required')
      expect(answer.json).toMatchObject({ detail: expect.stringMatching(WANTED_KEY[operation.access]) })
      expectDeclared(operation, answer)
    }
  })

  test('refuses a key that is malformed, or contradicts another one', async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    const key = keyFor(operation, ours) ?? ''
    for (const headers of [{ 'X-Project-Key': 'a b' }, { 'X-API-Key': 'k'.repeat(256) }]) {
      expectProblem(await askWith(contract, operation, sample, { key: null, headers }), 'malformed-key')
    }
    const headers = { 'X-Project-Key': key, 'X-API-Key': `${key}x` }
    const answer = await askWith(contract, operation, sample, { key: null, headers })
    expectProblem(answer, 'conflicting-keys')
    expectDeclared(operation, answer)
    expect(answer.text).not.toContain(key)
  })

  test('takes the key from each of its places', async () => {
    const places = (key: string) => [{ 'X-Project-Key': key }, { 'X-API-Key': key }, { Authorization: `bearer ${key}` }]
    for (const place of places('').keys()) {
      const sample = await sampleOf(contract, operation.name)
      const headers = places(sample.key ?? keyFor(operation, ours) ?? '')[place] ?? {}
      expect((await askWith(contract, operation, sample, { key: null, headers })).status).toBe(sample.status)
    }
  })
})

describe.concurrent.each(ofProjects)('$name', (operation) => {
  test('refuses a revoked key', async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    const { id, key } = await contract.makeKey(ours.id, 'admin')
    await contract.service.projects.revokeKey(undefined, id)
    const answer = await askWith(contract, operation, sample, { key })
    expectProblem(answer, 'key-unknown')
    expectDeclared(operation, answer)
  })

  test('refuses an unknown key where projects are closed, and makes no project of it', async () => {
    const { path, json } = await refusedSampleOf(contract, operation.name)
    const before = await closed.service.projects.verbs.list({ limit: 100, after: undefined })
    const unknown = { method: operation.method, key: 'a key nobody made'.replaceAll(' ', '-') }
    expectProblem(await closed.ask(path, { ...unknown, ...(json === undefined ? {} : { json }) }), 'key-unknown')
    expect(await closed.service.projects.verbs.list({ limit: 100, after: undefined })).toEqual(before)
  })
})

describe.concurrent.each(ofOperator)('$name', (operation) => {
  test("refuses a project's key, even one with the role admin", async () => {
    const sample = await refusedSampleOf(contract, operation.name)
    const { key } = await contract.makeKey(ours.id, 'admin')
    for (const wrong of [key, ours.key, 'operator-key-of-the-test']) {
      const answer = await askWith(contract, operation, sample, { key: wrong })
      expectProblem(answer, 'key-unknown')
      expectDeclared(operation, answer)
    }
  })

  test('is not there where no admin key is set', async () => {
    const { path, json } = await refusedSampleOf(contract, operation.name)
    for (const key of [null, ours.key, 'operator-key-of-the-tests']) {
      const init = { method: operation.method, key, ...(json === undefined ? {} : { json }) }
      expectProblem(await closed.ask(path, init), 'not-found')
    }
  })
})

test('nothing that was refused left a project behind', async () => {
  const { projects } = await contract.service.projects.verbs.list({ limit: 100, after: undefined })
  expect(projects.filter((project) => project.origin === 'open')).toEqual([])
})
