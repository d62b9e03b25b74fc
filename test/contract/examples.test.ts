import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROBLEMS, type ProblemCode } from '../../src/platform/problem-catalogue.js'
import { faultsOf } from './answer-schemas.js'
import { keyFor, openContractOfTwo, type TestProject } from './open-contract.js'
import type { Operation, Parameter } from './operations.js'
import { addRepricing, certify, logged, publishLockfile } from './samples.js'

const contract = await openContractOfTwo()
afterAll(() => contract.close())

const { document, operations } = contract

type Make = (project: TestProject, receipt: () => ReturnType<typeof certify>) => string | Promise<string>

/** What nobody can know before it is made, by parameter: the ids that we give, and the digest of what is bound. */
const MAKE: Readonly<Record<string, Make>> = {
  id: ({ id }) => id,
  confirm: ({ id }) => id,
  key_id: ({ keyId }) => keyId,
  digest: () => publishLockfile(contract, contract.ours),
  hash: () => logged(contract, contract.ours),
  log_id: async (_, receipt) => (await receipt()).logId,
  job_id: () => addRepricing(contract, contract.ours.id),
}
/** Where a name means something else than elsewhere. */
const MAKE_AT: Readonly<Record<string, Make>> = {
  '/api/v1/receipts/{id}/logs/{log_id}/proof id': async (_, receipt) => (await receipt()).receiptId,
}

const exampleOf = ({ example, schema }: Parameter): unknown => example ?? schema['example'] ?? schema['default']

/**
 * The address with every parameter that has an example, as the page at /docs would send it. What it names is made for it
 * alone: an operation before it may have deleted its own.
 */
async function addressOf({ path, parameters }: Operation, project: TestProject): Promise<string> {
  const query = new URLSearchParams()
  let made: ReturnType<typeof certify> | undefined
  const receipt = () => (made ??= certify(contract, contract.ours))
  let address = path
  for (const parameter of parameters) {
    const { name } = parameter
    const example =
      (await MAKE_AT[`${path} ${name}`]?.(project, receipt)) ??
      exampleOf(parameter) ??
      (await MAKE[name]?.(project, receipt))
    if (parameter.in === 'path') address = address.replace(`{${name}}`, encodeURIComponent(String(example)))
    else if (example !== undefined) query.set(name, String(example))
  }
  return query.size === 0 ? address : `${address}?${query}`
}

/** What is made comes before what is read, and that before what is deleted. */
const ORDER = ['POST', 'PUT', 'GET', 'DELETE']
const inOrder = [...operations].sort((one, other) => ORDER.indexOf(one.method) - ORDER.indexOf(other.method))
const bodyOf = ({ declared }: Operation) => declared.requestBody?.content['application/json']

describe('every request that the document shows', () => {
  // What is listed, summed or proved is there.
  beforeAll(async () => {
    const made = certify(contract, contract.ours)
    for (const make of Object.values(MAKE)) await make(contract.ours, () => made)
  })

  test.each(inOrder)('$name is served when it is sent as it stands', async (operation) => {
    const project = await contract.makeProject()
    const isEnd = operation.name === 'DELETE /api/v1/project'
    const asking = operation.access === 'project' && !isEnd ? contract.ours : project
    const answer = await contract.ask(await addressOf(operation, project), {
      method: operation.method,
      key: keyFor(operation, asking),
      ...(bodyOf(operation) === undefined ? {} : { json: bodyOf(operation)?.example }),
    })
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([
      expect.toSatisfy((status) => status < 300),
      answer.text.slice(0, 300),
    ])
  })

  test('with a receipt shows one that verifies', async () => {
    const verify = operations.find(({ name }) => name === 'POST /api/v1/receipts/verify') as Operation
    const { json } = await contract.ask('/api/v1/receipts/verify', { json: bodyOf(verify)?.example })
    expect(json).toMatchObject({ valid: true })
  })

  test.each(inOrder.filter((operation) => bodyOf(operation) !== undefined))(
    '$name shows a body that fits its own schema',
    (operation) => {
      const { schema = {}, example } = bodyOf(operation) ?? {}
      expect(faultsOf(document, schema, example)).toEqual([])
    },
  )
})

describe('every answer that the document shows', () => {
  const shown = operations.flatMap(({ name, declared }) =>
    Object.entries(declared.responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content).flatMap(([type, { schema, example }]) =>
        schema === undefined || example === undefined ? [] : [{ name, status, type, schema, example }],
      ),
    ),
  )
  test('fits its own schema', () => {
    expect(shown.length).toBeGreaterThan(3)
    for (const { name, schema, example } of shown)
      expect([name, faultsOf(document, schema, example)]).toEqual([name, []])
  })
})

describe('every problem that the document shows', () => {
  const problems = operations.flatMap(({ name, declared }) =>
    Object.entries(declared.responses).flatMap(([status, { description, content = {} }]) => {
      const problem = content['application/problem+json']
      return problem === undefined ? [] : [{ title: `${name} ${status}`, status: Number(status), description, problem }]
    }),
  )

  test('has an example for each of the codes that its description names, true in status, type, title and code', () => {
    expect(problems.length).toBeGreaterThan(200)
    for (const { title, status, description, problem } of problems) {
      const named = [...description.matchAll(/`([a-z-]+)`: /g)].map(([, code]) => code)
      expect([title, Object.keys(problem.examples ?? {})]).toEqual([title, named])
      for (const code of named as ProblemCode[]) {
        const example = document.components.examples[code]?.value
        expect(problem.examples?.[code]).toEqual({ $ref: `#/components/examples/${code}` })
        expect(example).toMatchObject({
          code,
          status,
          title: PROBLEMS[code].title,
          type: `urn:llmring:problem:${code}`,
        })
        expect(faultsOf(document, { $ref: '#/components/schemas/Problem' }, example)).toEqual([])
      }
    }
  })

  test('is one that a request gets: its members are those of an answer', async () => {
    const { json } = await contract.ask('/api/v1/log', {
      key: contract.ours.key,
      json: { provider: 'openai', model: 1 },
    })
    const shown = document.components.examples['validation-failed']?.value
    expect(Object.keys(json as object).sort()).toEqual(Object.keys(shown as object).sort())
    expect(document.components.schemas['Problem']?.['example']).toEqual(shown)
  })
})
