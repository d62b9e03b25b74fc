import { afterAll, describe, expect, test } from 'vitest'
import { ROLES, type Role } from '../../src/access/principal.js'
import { expectProblem } from './expect-problem.js'
import { openContractOfTwo } from './open-contract.js'
import { refusedSampleOf, sampleOf } from './samples.js'

const contract = await openContractOfTwo()
afterAll(() => contract.close())

const keys = {} as Record<Role, string>
for (const role of ROLES) keys[role] = (await contract.makeKey(contract.ours.id, role)).key

/** Who may do what. Written out, so that a route that changes hands changes this table. */
const MAY: Readonly<Record<string, readonly Role[]>> = {
  'GET /api/v1/aliases/resolve': ['read', 'write', 'admin'],
  'GET /api/v1/aliases/': ['read', 'write', 'admin'],
  'GET /api/v1/aliases/{alias}': ['read', 'write', 'admin'],
  'POST /api/v1/aliases/bulk_upsert': ['write', 'admin'],
  'POST /api/v1/aliases/bind': ['write', 'admin'],
  'PUT /api/v1/aliases/{alias}': ['write', 'admin'],
  'DELETE /api/v1/aliases/{alias}': ['write', 'admin'],
  'GET /api/v1/drift': ['read', 'write', 'admin'],
  'GET /api/v1/history': ['read', 'write', 'admin'],
  'GET /api/v1/profiles': ['read', 'write', 'admin'],
  'POST /api/v1/rollback': ['write', 'admin'],
  'POST /api/v1/profiles/{from}/promote': ['write', 'admin'],
  'PUT /api/v1/lockfile': ['write', 'admin'],
  'GET /api/v1/lockfile': ['read', 'write', 'admin'],
  'GET /api/v1/lockfile/{digest}': ['read', 'write', 'admin'],
  'PUT /api/v1/webhook': ['write', 'admin'],
  'GET /api/v1/webhook': ['write', 'admin'],
  'DELETE /api/v1/webhook': ['write', 'admin'],
  'PUT /api/v1/budgets': ['write', 'admin'],
  'GET /api/v1/budgets': ['read', 'write', 'admin'],
  'DELETE /api/v1/budgets': ['write', 'admin'],
  'DELETE /api/v1/project': ['admin'],
  'GET /api/v1/sync': ['read', 'write', 'admin'],
  'POST /api/v1/log': ['log', 'write', 'admin'],
  'POST /api/v1/log/batch': ['log', 'write', 'admin'],
  'GET /api/v1/logs': ['read', 'write', 'admin'],
  'GET /api/v1/export': ['read', 'write', 'admin'],
  'GET /api/v1/stats': ['read', 'write', 'admin'],
  'POST /api/v1/reprice': ['admin'],
  'GET /api/v1/reprice': ['read', 'write', 'admin'],
  'GET /api/v1/reprice/{job_id}': ['read', 'write', 'admin'],
  'DELETE /api/v1/reprice/{job_id}': ['admin'],
  'POST /api/v1/receipts/issue': ['write', 'admin'],
  'POST /api/v1/receipts/': ['write', 'admin'],
  'POST /api/v1/receipts/generate': ['write', 'admin'],
  'POST /api/v1/receipts/preview': ['read', 'write', 'admin'],
  'GET /api/v1/receipts/uncertified': ['read', 'write', 'admin'],
  'GET /api/v1/receipts/{id}/logs': ['audit', 'read', 'write', 'admin'],
  'GET /api/v1/receipts/{id}/logs/{log_id}/proof': ['audit', 'read', 'write', 'admin'],
  'POST /api/v1/receipts/keys': ['admin'],
  'GET /api/v1/receipts/keys': ['audit', 'read', 'write', 'admin'],
  'DELETE /api/v1/receipts/keys/{kid}': ['admin'],
  'GET /api/v1/receipts/': ['audit', 'read', 'write', 'admin'],
  'GET /api/v1/receipts/{id}': ['audit', 'read', 'write', 'admin'],
  'GET /api/v1/receipts/{id}/proof': ['audit', 'read', 'write', 'admin'],
  'GET /api/v1/receipts/export': ['audit', 'read', 'write', 'admin'],
  'DELETE /api/v1/receipts/{id}': ['admin'],
  'POST /v1/chat/completions': ['write', 'admin'],
  'POST /v1/messages': ['write', 'admin'],
  'POST /v1/messages/count_tokens': ['write', 'admin'],
  'POST /v1/workflows': ['write', 'admin'],
  'GET /stats': ['read', 'write', 'admin'],
  'GET /v1/backends': ['read', 'write', 'admin'],
  'POST /v1/feedback': ['write', 'admin'],
  'GET /api/v1/gateway/settings': ['read', 'write', 'admin'],
  'PUT /api/v1/gateway/settings': ['admin'],
  'GET /v1/models': ['read', 'write', 'admin'],
  'GET /v1/models/{model_id}': ['read', 'write', 'admin'],
  'GET /api/v1/keys': ['admin'],
  'POST /api/v1/keys': ['admin'],
  'DELETE /api/v1/keys/{key_id}': ['admin'],
}
const ofProjects = contract.operations.filter((operation) => operation.access === 'project')

test('the table of roles has every route of a project', () => {
  expect(Object.keys(MAY).sort()).toEqual(ofProjects.map((operation) => operation.name).sort())
})

describe.concurrent.each(ofProjects)('$name', (operation) => {
  const allowed = MAY[operation.name] ?? []
  test.each(allowed)('is open to the role %s', async (role) => {
    const { path, json, status, key = keys[role] } = await sampleOf(contract, operation.name)
    const init = { method: operation.method, key, ...(json === undefined ? {} : { json }) }
    expect((await contract.ask(path, init)).status).toBe(status)
  })

  test.each(ROLES.filter((role) => !allowed.includes(role)))(
    'is closed to the role %s, before anything is read',
    async (role) => {
      const { path } = await refusedSampleOf(contract, operation.name)
      const body = operation.declared.requestBody === undefined ? {} : { body: 'not even JSON' }
      const answer = await contract.ask(path, { method: operation.method, key: keys[role], ...body })
      expectProblem(answer, 'role-not-allowed')
      expect(Object.keys(operation.declared.responses)).toContain('403')
    },
  )
})
