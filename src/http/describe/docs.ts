import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { z } from '@hono/zod-openapi'
import { PUBLIC } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import { readVersion } from '../../platform/version.js'
import { type App, type Guards, mount } from '../endpoint.js'
import { jsonResponse, plainBytes } from '../response.js'
import { createDocument } from './openapi-document.js'

const UI_FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
}

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>LLMRing Server</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true, tryItOutEnabled: true, persistAuthorization: false })\n`

/** Only what this origin serves may run; the UI sets styles on elements, and draws its icons from data URLs. */
const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
}

const Root = z
  .object({
    name: z.literal('LLMRing Server'),
    version: z.string(),
    docs: z.literal('/docs'),
    registry: z.literal('/registry'),
  })
  .openapi('Root')

/**
 * Says what this is, and documents it: the OpenAPI document and a page to read and try it. Nothing is loaded from
 * elsewhere.
 */
export function mountDocs(app: App, guards: Guards): void {
  const version = readVersion()
  let document: string | undefined
  mount(app, guards, {
    method: 'get',
    path: '/',
    tag: 'Meta',
    operationId: 'getServiceInfo',
    summary: 'What this is',
    access: PUBLIC,
    responses: { 200: { description: 'Name, version and where to go.', schema: Root } },
    handle: () => jsonResponse({ name: 'LLMRing Server', version, docs: '/docs', registry: '/registry' }),
  })
  mount(app, guards, {
    method: 'get',
    path: '/openapi.json',
    tag: 'Meta',
    operationId: 'getOpenApiDocument',
    summary: 'This document',
    access: PUBLIC,
    responses: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
    handle: () => {
      document ??= JSON.stringify(createDocument(app, version))
      return plainBytes(document)
    },
  })
  mount(app, guards, {
    method: 'get',
    path: '/docs',
    tag: 'Meta',
    operationId: 'getDocsPage',
    summary: 'A page to read and try this API',
    access: PUBLIC,
    responses: { 200: { description: 'The page.', schema: z.string(), contentType: 'text/html' } },
    handle: () => new Response(PAGE, { headers: PAGE_HEADERS }),
  })
  mountPageFiles(app, guards)
}

function mountPageFiles(app: App, guards: Guards): void {
  const files = new Map<string, Buffer<ArrayBuffer>>()
  mount(app, guards, {
    method: 'get',
    path: '/docs/{file}',
    tag: 'Meta',
    operationId: 'getDocsFile',
    summary: 'What the page loads',
    access: PUBLIC,
    problems: ['not-found'],
    params: z.object({ file: z.string().openapi({ example: 'swagger-ui.css' }) }),
    responses: { 200: { description: 'The file.', contentType: Object.values(UI_FILES) } },
    handle: async ({ params: { file } }) => {
      if (file === 'start.js') return new Response(START, { headers: { 'Content-Type': 'text/javascript' } })
      const type = Object.hasOwn(UI_FILES, file) ? UI_FILES[file] : undefined
      if (type === undefined) throw new AppError('not-found', 'There is nothing at this address.')
      const bytes = files.get(file) ?? (await readUiFile(file))
      // Kept only now: a read that failed once (too many open files) must not fail for ever.
      files.set(file, bytes)
      return new Response(bytes, { headers: { 'Content-Type': type, 'Cache-Control': 'public, max-age=86400' } })
    },
  })
}

function readUiFile(file: string): Promise<Buffer<ArrayBuffer>> {
  const home = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  return readFile(join(home, file)) as Promise<Buffer<ArrayBuffer>>
}
