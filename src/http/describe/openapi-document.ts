import { PROBLEMS } from '../../platform/problem-catalogue.js'
import type { App } from '../endpoint.js'
import { PROBLEM_CODES, problemExample } from './describe-problems.js'

const METHODS = ['get', 'post', 'put', 'delete'] as const

const DESCRIPTION = `Aliases instead of model ids, usage with its exact cost, and receipts that an auditor verifies without trusting us.

The project key comes in \`X-Project-Key\`, \`X-API-Key\` or \`Authorization: Bearer\`. Every failure is a problem (RFC 9457)
with a \`code\` for programs and a \`detail\` for people. \`/x\` and \`/x/\` are the same resource. Times are UTC. An empty query
value means absent; \`null\` for an optional field means absent.`

/** The OpenAPI 3.1 document of everything that was mounted. */
export function createDocument(app: App, version: string) {
  const schemes = {
    ProjectKey: { type: 'apiKey', in: 'header', name: 'X-Project-Key' },
    ApiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    Bearer: { type: 'http', scheme: 'bearer' },
    AdminKey: { type: 'http', scheme: 'bearer', description: 'The operator’s key: LLMRING_ADMIN_KEY.' },
  } as const
  for (const [name, scheme] of Object.entries(schemes)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme)
  }
  for (const code of PROBLEM_CODES) {
    const example = { summary: PROBLEMS[code].title, value: problemExample(code) }
    app.openAPIRegistry.registerComponent('examples', code, example)
  }
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'LLMRing Server', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
  })
  const operations = Object.values(document.paths ?? {}).flatMap((item) =>
    METHODS.flatMap((method) => item[method] ?? []),
  )
  for (const parameter of operations.flatMap((operation) => operation.parameters ?? [])) {
    if ('in' in parameter && parameter.in === 'query') parameter.allowEmptyValue = true
  }
  const tags = new Set(operations.flatMap((operation) => operation.tags ?? []))
  // The generator's types are those of OpenAPI 3.0, whose license had no identifier.
  const info = { ...document.info, license: { name: 'MIT', identifier: 'MIT' } }
  return { ...document, info, tags: [...tags].map((name) => ({ name })) }
}
