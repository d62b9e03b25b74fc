import { createHash, randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { expectProblem } from './expect-problem.js'
import { type Answer, type Contract, openContractOfTwo, type TestProject } from './open-contract.js'
import type { Operation } from './operations.js'
import { addRepricing, bindingOf, claimsOf, EVENT, lockfileSample, PARTNER_KEY } from './samples.js'

const contract = await openContractOfTwo()
afterAll(() => contract.close())

const { ours, theirs, operations } = contract
const atObjects = operations.filter(({ access, path }) => access === 'project' && path.includes('{'))

/** What a path parameter of a project names: how it is made and shown, and the body with which it is written. */
type Kind = {
  make(project: TestProject, name: string): Promise<Answer>
  show(project: TestProject, name: string): Promise<Answer>
  readonly written?: unknown
  /** A name of its own kind, if not any text will do. */
  readonly name?: () => string
}
const KINDS: Readonly<Record<string, Kind>> = {
  '{alias}': {
    make: ({ key }, alias) => contract.ask('/api/v1/aliases/bind', { key, json: bindingOf(alias) }),
    show: ({ key }, alias) => contract.ask(`/api/v1/aliases/${alias}`, { key }),
    written: { model: 'openai:another' },
  },
  '{from}': {
    make: ({ key }, profile) => contract.ask('/api/v1/aliases/bind', { key, json: { ...bindingOf('a'), profile } }),
    show: ({ key }, profile) => contract.ask(`/api/v1/aliases/?profile=${profile}`, { key }),
    written: { to: 'another' },
  },
  '{id}': {
    make: ({ key }, id) => contract.ask('/api/v1/receipts/issue', { key, json: claimsOf(id) }),
    show: ({ key }, id) => contract.ask(`/api/v1/receipts/${id}`, { key }),
  },
  '{kid}': {
    make: async ({ key }, kid) => {
      await contract.ask('/api/v1/receipts/keys', { key, json: { public_key: PARTNER_KEY, key_id: kid } })
      return contract.ask('/api/v1/receipts/keys', { key })
    },
    show: ({ key }) => contract.ask('/api/v1/receipts/keys', { key }),
  },
  '{model_id}': {
    make: ({ key }, alias) => contract.ask('/api/v1/aliases/bind', { key, json: bindingOf(alias) }),
    show: ({ key }, alias) => contract.ask(`/v1/models/${alias}`, { key }),
  },
  '{key_id}': {
    make: async ({ id, key }, keyId) => {
      await contract.service.resources.database.sql`
        insert into project_keys (id, project_id, key_hash, pepper_id, prefix, role)
        values (${keyId}, ${id}, sha256(${keyId}::text::bytea), 'none', 'x', 'read')`
      return contract.ask('/api/v1/keys', { key })
    },
    show: ({ key }) => contract.ask('/api/v1/keys', { key }),
    name: randomUUID,
  },
  '{job_id}': {
    make: async ({ id, key }, jobId) => {
      await addRepricing(contract, id, jobId)
      return contract.ask('/api/v1/reprice', { key })
    },
    show: ({ key }, jobId) => contract.ask(`/api/v1/reprice/${jobId}`, { key }),
    name: randomUUID,
  },
  '{digest}': {
    make: async ({ id, key }, digest) => {
      const answer = await contract.ask(lockfileSample('named').path, {
        method: 'PUT',
        key,
        json: lockfileSample('named').json,
      })
      await contract.service.resources.database.sql`
        insert into lock_digests (project_id, digest, revision)
        select project_id, ${digest}, revision from alias_heads where project_id = ${id}`
      return answer
    },
    show: ({ key }, digest) => contract.ask(`/api/v1/lockfile/${digest}`, { key }),
    name: () => createHash('sha256').update(randomUUID()).digest('hex'),
  },
}

const parameterOf = ({ path }: Operation): string => /\{\w+\}/.exec(path)?.[0] ?? ''

function kindOf(operation: Operation): Kind {
  const kind = KINDS[parameterOf(operation)]
  if (kind === undefined) throw new Error(`Say in KINDS how ${parameterOf(operation)} of ${operation.name} is made.`)
  return kind
}

/** What is left of an answer without what differs between any two. */
function comparable({ status, headers, text, json }: Answer): unknown {
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)).sort()
  if (typeof json !== 'object' || json === null) return { status, kept, text }
  const { request_id: _differs, ...body } = json as Record<string, unknown>
  return { status, kept: kept.filter(([name]) => name !== 'content-length'), body }
}

const newcomer: TestProject = { id: '', key: `invented-${randomUUID()}`, keyId: '' }
const strangers = [
  ['another project', theirs],
  ['a key that has no project yet', newcomer],
] as const

const creates = ({ method }: Operation): boolean => method === 'PUT'

/** A body where the operation has one. */
const sent = ({ method }: Operation, { written: json }: Kind) => (method === 'POST' ? { json } : {})

describe.each(atObjects.filter((operation) => !creates(operation)))(
  "$name, asked for somebody else's object",
  (operation) => {
    test.each(strangers)('answers %s as if it did not exist', async (_, stranger) => {
      const kind = kindOf(operation)
      const name = kind.name?.() ?? `theirs-${randomUUID()}`
      const path = operation.path.replace(parameterOf(operation), name).replace('{log_id}', randomUUID())
      const ask = () => contract.ask(path, { method: operation.method, key: stranger.key, ...sent(operation, kind) })
      const missing = await ask()
      expect((await kind.make(ours, name)).status).toBe(200)
      const before = await kind.show(ours, name)
      expect(comparable(await ask())).toEqual(comparable(missing))
      expect(comparable(await kind.show(ours, name))).toEqual(comparable(before))
      expect(before.status).toBe(200)
    })
  },
)

describe.each(atObjects.filter(creates))("$name, asked for somebody else's object", (operation) => {
  test('writes an object of the one who asks, and leaves the other one alone', async () => {
    const kind = kindOf(operation)
    const name = `both-${randomUUID()}`
    const path = operation.path.replace(parameterOf(operation), name)
    await kind.make(ours, name)
    const before = await kind.show(ours, name)
    const answer = await contract.ask(path, { method: operation.method, key: theirs.key, json: kind.written })
    expect(answer.json).toMatchObject({ project_id: theirs.id })
    expect(comparable(await kind.show(ours, name))).toEqual(comparable(before))
    expect((await kind.show(theirs, name)).json).toMatchObject({ project_id: theirs.id })
  })
})

describe('what belongs to one project', () => {
  test('is in no list and no sum of another', async () => {
    const [filled, empty] = [await contract.makeProject(), await contract.makeProject()]
    await contract.ask('/api/v1/aliases/bind', { key: filled.key, json: bindingOf('only-mine') })
    await contract.ask('/api/v1/log', { key: filled.key, json: { ...EVENT, alias: 'only-mine', origin: 'only-mine' } })
    await contract.ask('/api/v1/receipts/issue', { key: filled.key, json: claimsOf('only-mine') })
    const lists = [
      '/api/v1/aliases/',
      '/api/v1/aliases/resolve?alias=only-mine',
      '/api/v1/logs',
      '/api/v1/export',
      '/api/v1/stats',
      '/api/v1/receipts/',
      '/api/v1/receipts/uncertified',
    ]
    for (const path of lists) {
      const mine = await contract.ask(path, { key: filled.key })
      expect([path, mine.text.includes('only-mine')]).toEqual([path, true])
      const fresh = await contract.ask(path, { key: `unheard-of-${randomUUID()}` })
      const other = await contract.ask(path, { key: empty.key })
      expect([path, other.text.replace('only-mine', '')]).toEqual([path, fresh.text.replace('only-mine', '')])
    }
  })

  test('is counted from 1 in every project, so that nobody learns how much others have', async () => {
    const firstIds = async (project: TestProject) => {
      const answer = await contract.ask('/api/v1/aliases/bind', { key: project.key, json: bindingOf('first') })
      return answer.json
    }
    for (const project of [await contract.makeProject(), await contract.makeProject()]) {
      expect(await firstIds(project)).toMatchObject({ id: 1, revision: 1 })
    }
  })

  test('may have the name of something in another project', async () => {
    const [one, other] = [await contract.makeProject(), await contract.makeProject()]
    for (const { key, id } of [one, other]) {
      expect((await contract.ask('/api/v1/receipts/issue', { key, json: claimsOf('call-1') })).json).toMatchObject({
        project: id,
      })
    }
  })

  test('is not reached by asking with somebody else’s receipt: only storing it says whose it is', async () => {
    const issued = await contract.ask('/api/v1/receipts/issue', {
      key: ours.key,
      json: claimsOf(`own-${randomUUID()}`),
    })
    const stolen = await contract.ask('/api/v1/receipts/', { key: theirs.key, json: { receipt: issued.json } })
    expectProblem(stolen, 'receipt-not-verified')
    const verified = await contract.ask('/api/v1/receipts/verify', { json: issued.json })
    expect(verified.json).toMatchObject({ valid: true })
  })
})

describe('the operator', () => {
  const admin = (path: string, method = 'GET', asked: Contract = contract) =>
    asked.ask(`/api/v1/admin/projects/${path}`, { method, key: 'operator-key-of-the-tests' })

  test('revokes a key through its own project only', async () => {
    const mine = await contract.makeKey(ours.id, 'read')
    const foreign = await admin(`${theirs.id}/keys/${mine.id}`, 'DELETE')
    const missing = await admin(`${theirs.id}/keys/${randomUUID()}`, 'DELETE')
    expect(comparable(foreign)).toEqual(comparable(missing))
    expect((await contract.ask('/api/v1/logs', { key: mine.key })).status).toBe(200)
    expect((await admin(`${ours.id}/keys/${mine.id}`, 'DELETE')).json).toEqual({ revoked: true })
    expect((await contract.ask('/api/v1/logs', { key: mine.key })).status).toBe(401)
  })

  test('finds a project that was erased as little as one that never was', async () => {
    const erased = await contract.makeProject()
    expect((await admin(erased.id, 'DELETE')).status).toBe(200)
    for (const path of ['', '/export', '/keys']) {
      const [gone, never] = [await admin(erased.id + path), await admin(randomUUID() + path)]
      expect(gone.status).toBe(404)
      expect(comparable(gone)).toEqual(comparable(never))
    }
    expect((await contract.ask('/api/v1/logs', { key: erased.key })).status).toBe(401)
  })
})
