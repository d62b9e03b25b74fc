import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, describe, expect, test } from 'vitest'
import { PROBLEMS } from '../../src/platform/problem-catalogue.js'
import { openContract } from './open-contract.js'
import { OPERATION_IDS } from './operation-ids.js'
import { METHODS, routedNames, withoutSlash } from './operations.js'

const contract = await openContract()
afterAll(() => contract.close())

const { document, operations } = contract
const text = JSON.stringify(document)

/** Every object in the document, with the path to it. */
function* nodes(value: unknown, path = '#'): Generator<{ path: string; node: Readonly<Record<string, unknown>> }> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield { path, node: value as Readonly<Record<string, unknown>> }
  for (const [name, member] of Object.entries(value)) yield* nodes(member, `${path}/${name}`)
}

describe('the document', () => {
  test('is OpenAPI 3.1 with a title, a version and a license', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.info).toMatchObject({ title: 'LLMRing Server', license: { name: 'MIT', identifier: 'MIT' } })
    expect(document.info['version']).toMatch(/^\d+\.\d+\.\d+/)
  })

  test('is valid by the schema of OpenAPI 3.1, by a validator that refuses what is not', async () => {
    const copy = () => JSON.parse(text) as Record<string, unknown>
    expect(await new Validator().validate(copy())).toMatchObject({ valid: true })
    expect(await new Validator().validate({ ...copy(), info: {} })).toMatchObject({ valid: false })
  })

  test('shows what the service is for before what serves it, and the files of the page last', () => {
    const meta = operations.map(({ declared }) => declared.tags[0] === 'Meta')
    expect(meta.indexOf(true)).toBeGreaterThan(30)
    expect(meta.lastIndexOf(false)).toBeLessThan(meta.indexOf(true))
    expect(operations.at(-1)?.path).toBe('/docs/{file}')
    expect(document.tags.map(({ name }) => name)).toEqual([...new Set(operations.flatMap((one) => one.declared.tags))])
  })

  test('names every operation, once and for ever: generated clients call it by this name', () => {
    expect(Object.fromEntries(operations.map(({ name, declared }) => [name, declared.operationId]))).toEqual(
      OPERATION_IDS,
    )
    expect(new Set(Object.values(OPERATION_IDS)).size).toBe(operations.length)
    for (const id of Object.values(OPERATION_IDS)) expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/)
  })

  test('has every route that the router serves, and no other', () => {
    const documented = operations.map(({ method, path }) => `${method} ${withoutSlash(path)}`)
    expect(documented.sort()).toEqual(routedNames(contract.service.app).sort())
    expect(new Set(documented).size).toBe(documented.length)
  })

  test('knows no other members of a path than methods', () => {
    for (const item of Object.values(document.paths)) {
      for (const name of Object.keys(item)) expect(METHODS).toContain(name)
    }
  })

  test('refers to nothing that is not in it', () => {
    const references = [...nodes(document)].flatMap(({ path, node }) => {
      const { $ref } = node
      return typeof $ref === 'string' ? [{ path, $ref }] : []
    })
    expect(references.length).toBeGreaterThan(100)
    for (const { path, $ref } of references) {
      const found = $ref
        .split('/')
        .slice(1)
        .reduce<unknown>((inside, part) => (inside as Record<string, unknown> | undefined)?.[part], document)
      expect(found, `${path} refers to ${$ref}`).toBeDefined()
    }
  })

  test('names no schema that nothing refers to', () => {
    for (const name of Object.keys(document.components.schemas)) {
      expect(text).toContain(`"#/components/schemas/${name}"`)
    }
  })

  test('uses nothing of OpenAPI 3.0 that 3.1 gave up', () => {
    for (const { path, node } of nodes(document)) {
      if (path.includes('/example') || path.endsWith('/properties')) continue
      expect(node, path).not.toHaveProperty('nullable')
      expect(typeof node['exclusiveMinimum'], path).not.toBe('boolean')
    }
  })

  test('says of what reads many rows that it waits for its turn: one caller must not take what all others need', () => {
    const isPaged = ({ parameters }: (typeof operations)[number]) => parameters.some(({ name }) => name === 'limit')
    const inTurn = operations.filter(({ declared }) => declared['x-turns'] === 'read').map(({ name }) => name)
    expect(inTurn).toEqual(expect.arrayContaining(operations.filter(isPaged).map(({ name }) => name)))
    expect(inTurn.filter((name) => !operations.some((one) => one.name === name && isPaged(one))).sort()).toEqual([
      'GET /api/v1/admin/projects/{id}/export',
      'GET /api/v1/admin/projects/{id}/keys',
      'GET /api/v1/budgets',
      'GET /api/v1/drift',
      'GET /api/v1/export',
      'GET /api/v1/lockfile',
      'GET /api/v1/lockfile/{digest}',
      'GET /api/v1/profiles',
      'GET /api/v1/receipts/{id}/logs/{log_id}/proof',
      'GET /api/v1/stats',
      'GET /metrics',
      'GET /stats',
      'POST /api/v1/receipts/generate',
      'POST /api/v1/receipts/preview',
    ])
  })

  test('is answered with the same bytes every time', async () => {
    const [one, other] = [await contract.ask('/openapi.json'), await contract.ask('/openapi.json')]
    expect(one.text).toBe(other.text)
  })

  test('lists every problem that there is, and as problems only', () => {
    const schema = document.components.schemas['Problem'] as { properties: { code: { enum: string[] } } } | undefined
    const code = schema?.properties.code ?? { enum: [] }
    expect([...code.enum].sort()).toEqual(Object.keys(PROBLEMS).sort())
  })
})

describe.each(operations)('$name', ({ declared, path, parameters, access }) => {
  test('says what it is for, and where it belongs', () => {
    expect(declared.summary).toMatch(/^[A-Z].{3,80}[^.]$/)
    expect(declared.tags).toHaveLength(1)
  })

  test('declares its path parameters, all and only those', () => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const declaredInPath = parameters.filter((parameter) => parameter.in === 'path')
    expect(declaredInPath.map((parameter) => parameter.name)).toEqual(inPath)
    for (const parameter of declaredInPath) expect(parameter.required).toBe(true)
    expect(new Set(parameters.map(({ in: place, name }) => `${place} ${name}`)).size).toBe(parameters.length)
  })

  test('has a good answer, and problems for everything else', () => {
    const statuses = Object.keys(declared.responses)
    expect(statuses.filter((status) => status.startsWith('2'))).toHaveLength(1)
    for (const [status, { description, content = {} }] of Object.entries(declared.responses)) {
      expect(description).toMatch(/\S/)
      const isHealth = status === '503' && /^\/(health|readyz)$/.test(path)
      const types = isHealth ? ['application/json', 'application/problem+json'] : ['application/problem+json']
      if (Number(status) >= 400) expect(Object.keys(content)).toEqual(types)
    }
  })

  test('asks for the keys that it says', () => {
    const schemes = Object.keys(document.components.securitySchemes)
    for (const scheme of declared.security.flatMap((one) => Object.keys(one))) expect(schemes).toContain(scheme)
    expect(Object.keys(declared.responses).includes('401')).toBe(access !== 'public')
    expect(Object.keys(declared.responses).includes('403')).toBe(access === 'project')
  })

  test('shows an example of its body', () => {
    const { requestBody } = declared
    if (requestBody === undefined) return expect(declared).not.toHaveProperty('requestBody')
    const more: Record<string, string> = { putLockfile: 'application/toml', logUsageBatch: 'application/x-ndjson' }
    const others = [more[declared.operationId ?? ''] ?? []].flat()
    expect(Object.keys(requestBody.content)).toEqual(['application/json', ...others])
    expect(requestBody.content['application/json']).toMatchObject({
      schema: expect.anything(),
      example: expect.anything(),
    })
  })
})
