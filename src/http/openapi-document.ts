import type { App } from './endpoint.js'

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
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'LLMRing Server', version, description: DESCRIPTION, license: { name: 'MIT' } },
    servers: [{ url: '/' }],
  })
}
