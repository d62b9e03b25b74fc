import { describe, expect, it } from 'vitest'
import { NO_PROJECT, type Principal, type ProjectId, ROLES, type Role } from '../../src/access/principal.js'
import { optionalProject } from '../../src/http/optional-key.js'
import { AppError } from '../../src/platform/errors.js'

const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' as ProjectId
const principal = (role: Role, projectId = PROJECT): Principal => ({ projectId, role, keyId: 'k', newKey: null })
const headers = (values: Record<string, string>) => (name: string) => values[name]
const KEY = { 'x-project-key': 'a-key' }

describe('a key that a public route does not ask for', () => {
  it.each(ROLES)('says whose receipts are meant if it may read them: %s', async (role) => {
    const found = await optionalProject(() => principal(role), headers(KEY))
    expect(found).toBe(role === 'log' ? null : PROJECT)
  })

  it('is looked up as it was presented, for reading', async () => {
    const asked: unknown[] = []
    const authenticate = (key: string, purpose: 'read') => {
      asked.push([key, purpose])
      return Promise.resolve(principal('read'))
    }
    for (const values of [KEY, { 'x-api-key': ' a-key ' }, { authorization: 'Bearer a-key' }]) {
      expect(await optionalProject(authenticate, headers(values))).toBe(PROJECT)
    }
    expect(asked).toEqual([
      ['a-key', 'read'],
      ['a-key', 'read'],
      ['a-key', 'read'],
    ])
  })

  it('is not missed, and nothing is asked for then', async () => {
    const authenticate = () => {
      throw new Error('asked')
    }
    expect(await optionalProject(authenticate, headers({}))).toBeNull()
    expect(await optionalProject(authenticate, headers({ 'x-project-key': ' ' }))).toBeNull()
  })

  it.each([
    ['with white space inside', { 'x-project-key': 'a key' }],
    ['that is too long', { 'x-project-key': 'x'.repeat(256) }],
    ['beside another one', { 'x-project-key': 'a', 'x-api-key': 'b' }],
  ])('%s refuses nothing', async (_name, values) => {
    expect(await optionalProject(() => principal('read'), headers(values))).toBeNull()
  })

  it('that is unknown, or of no project yet, refuses nothing', async () => {
    const unknown = () => Promise.reject(new AppError('key-unknown', 'No such key.'))
    expect(await optionalProject(unknown, headers(KEY))).toBeNull()
    expect(await optionalProject(() => principal('write', NO_PROJECT), headers(KEY))).toBeNull()
  })

  it('that cannot be looked up is no key of nobody: that is said', async () => {
    const away = () => Promise.reject(new AppError('database-unavailable', 'Away.'))
    await expect(optionalProject(away, headers(KEY))).rejects.toMatchObject({ code: 'database-unavailable' })
    const broken = () => Promise.reject(new TypeError('broken'))
    await expect(optionalProject(broken, headers(KEY))).rejects.toThrow(TypeError)
  })
})
