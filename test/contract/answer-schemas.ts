import { z } from 'zod'
import type { OpenApiDocument, OperationObject } from './operations.js'

type Answered = { readonly status: number; readonly contentType: string; readonly text: string }

/** What is wrong with an answer by the document's own schema of it; empty where nothing is. */
export function faultsOfAnswer(document: OpenApiDocument, declared: OperationObject, answered: Answered): string[] {
  const response = declared.responses[String(answered.status)]
  if (response === undefined) return [`the status ${answered.status} is not declared`]
  const type = answered.contentType.split(';', 1)[0] ?? ''
  if (response.content === undefined) return []
  const content = response.content[type]
  if (content === undefined) return [`the content type ${type} is not declared, but ${Object.keys(response.content)}`]
  if (content.schema === undefined) return []
  const value: unknown = /json$/.test(type) ? JSON.parse(answered.text) : answered.text
  return faultsOf(document, content.schema, value)
}

/** What is wrong with a value by a schema of the document. */
export function faultsOf(
  document: OpenApiDocument,
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
): string[] {
  const parsed = schemaOf(document, schema).safeParse(value)
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('/')}: ${issue.message}`)
}

const built = new WeakMap<object, z.ZodType>()

/** The document keeps its schemas under `components`, JSON Schema looks for them under `$defs`. */
function schemaOf(document: OpenApiDocument, schema: Readonly<Record<string, unknown>>): z.ZodType {
  const known = built.get(schema)
  if (known !== undefined) return known
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas })
  const fresh = z.fromJSONSchema(JSON.parse(text.replaceAll('"#/components/schemas/', '"#/$defs/')))
  built.set(schema, fresh)
  return fresh
}
