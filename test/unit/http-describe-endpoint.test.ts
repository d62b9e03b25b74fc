import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { OPERATOR, PUBLIC, READS, WRITES } from '../../src/access/principal.js'
import type { Endpoint } from '../../src/http/declaration.js'
import { describeEndpoint as describeWith, problemsOf } from '../../src/http/describe/describe-endpoint.js'

type AnyEndpoint = Endpoint<Record<string, string>, Record<string, string>, unknown>

const endpoint = (extra: Partial<AnyEndpoint>): AnyEndpoint => ({
  method: 'get',
  path: '/things',
  tag: 'Things',
  operationId: 'listThings',
  summary: 'List things',
  access: PUBLIC,
  responses: { 200: { description: 'The things.', schema: z.array(z.string()) } },
  handle: () => new Response(),
  ...extra,
})
const describeEndpoint = (declared: AnyEndpoint, bodyBytesMax = 1_000) => describeWith(declared, bodyBytesMax)
const statuses = (extra: Partial<AnyEndpoint>): string[] => Object.keys(describeEndpoint(endpoint(extra)).responses)

describe('the description of a route', () => {
  test('of everybody asks for no key', () => {
    expect(describeEndpoint(endpoint({})).security).toEqual([])
    expect(statuses({})).not.toContain('401')
  })

  test("of a project asks for the project's key, in any of its places", () => {
    const described = describeEndpoint(endpoint({ access: READS }))
    expect(described.security).toEqual([{ ProjectKey: [] }, { ApiKey: [] }, { Bearer: [] }])
    expect(Object.keys(described.responses)).toEqual(expect.arrayContaining(['200', '400', '401', '403', '429', '503']))
  })

  test('of the operator asks for the admin key, and says that it may not be there', () => {
    expect(describeEndpoint(endpoint({ access: OPERATOR })).security).toEqual([{ AdminKey: [] }])
    expect(statuses({ access: OPERATOR })).toEqual(expect.arrayContaining(['401', '404']))
    expect(problemsOf(endpoint({ access: OPERATOR }))).not.toContain('role-not-allowed')
  })

  test('with a body lists what may be wrong with a body', () => {
    expect(statuses({ body: z.object({ a: z.string() }) })).toEqual(
      expect.arrayContaining(['400', '413', '415', '422']),
    )
    expect(statuses({})).not.toContain('422')
  })

  test('with parameters lists that they may be wrong', () => {
    const one = z.object({ id: z.string() })
    for (const extra of [{ params: one }, { query: one }]) {
      expect(problemsOf(endpoint(extra))).toEqual(expect.arrayContaining(['malformed-request', 'validation-failed']))
    }
  })

  test('says whether a body may be left out', () => {
    const required = (body: z.ZodType) => describeEndpoint(endpoint({ body })).request?.body?.required
    expect(required(z.object({ a: z.string() }))).toBe(true)
    expect(required(z.object({ a: z.string() }).nullish())).toBe(false)
  })

  test('names every code of a status in its answer, once and in order', () => {
    const codes = problemsOf(endpoint({ access: WRITES, problems: ['not-found', 'conflict', 'not-found'] }))
    expect(codes).toEqual([...new Set(codes)].sort())
    const answer = describeEndpoint(endpoint({ access: WRITES })).responses[401] as { description: string }
    expect(answer.description).toContain('`key-required`')
    expect(answer.description).toContain('`key-unknown`')
  })

  test('says how large a body may be, to people and to programs', () => {
    const described = describeEndpoint(endpoint({ body: z.string() }), 4_711)
    expect(described).toMatchObject({ 'x-body-bytes-max': 4_711 })
    expect(described.request?.body?.description).toContain('4711 bytes')
    expect(describeEndpoint(endpoint({}))).not.toHaveProperty('x-body-bytes-max')
  })

  test('carries the examples of bodies and answers', () => {
    const described = describeEndpoint(
      endpoint({
        body: z.string(),
        bodyExample: 'in',
        responses: { 201: { description: 'Made.', schema: z.string(), example: 'out' } },
      }),
    )
    expect(described.request?.body?.content['application/json']).toMatchObject({ example: 'in' })
    expect(described.responses[201]).toMatchObject({ content: { 'application/json': { example: 'out' } } })
  })
})
