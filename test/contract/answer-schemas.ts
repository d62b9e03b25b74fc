import { createRequire } from 'node:module'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { FormatsPlugin } from 'ajv-formats'
import type { OpenApiDocument, OperationObject } from './operations.js'

type Answered = { readonly status: number; readonly contentType: string; readonly text: string }

// The types of ajv-formats describe its default export as CommonJS has it, which is what require gives.
const addFormats = createRequire(import.meta.url)('ajv-formats') as FormatsPlugin

/** What is wrong with an answer by the document's own schema of it; empty where nothing is. */
export function faultsOfAnswer(document: OpenApiDocument, declared: OperationObject, answered: Answered): string[] {
  const response = declared.responses[String(answered.status)]
  if (response === undefined) return [`the status ${answered.status} is not declared`]
  const type = answered.contentType.split(';', 1)[0] ?? ''
  if (response.content === undefined) return answered.text === '' ? [] : [`a body of the type ${type} is not declared`]
  const content = response.content[type]
  if (content === undefined) return [`the content type ${type} is not declared, but ${Object.keys(response.content)}`]
  if (content.schema === undefined) return []
  const value: unknown = /[/+]json$/.test(type) ? JSON.parse(answered.text) : answered.text
  return faultsOf(document, content.schema, value)
}

/** What is wrong with a value by a schema of the document, as JSON Schema 2020-12 reads it. */
export function faultsOf(
  document: OpenApiDocument,
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
): string[] {
  const validate = validatorOf(document, schema)
  if (validate(value)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)
}

const validators = new WeakMap<OpenApiDocument, Ajv2020>()
const compiled = new WeakMap<object, ValidateFunction>()

function validatorOf(document: OpenApiDocument, schema: Readonly<Record<string, unknown>>): ValidateFunction {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const ajv = validators.get(document) ?? openValidator(document)
  validators.set(document, ajv)
  // A reference is read from the root of its schema; here that is the document.
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')
  const fresh = ajv.compile(JSON.parse(text) as object)
  compiled.set(schema, fresh)
  return fresh
}

function openValidator(document: OpenApiDocument): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats(ajv)
  return ajv.addSchema({ components: { schemas: document.components.schemas } }, 'document')
}
