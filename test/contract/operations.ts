import type { Service } from '../../src/compose/service.js'

export const METHODS = ['get', 'post', 'put', 'delete'] as const

export type JsonSchema = Readonly<Record<string, unknown>>
export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: JsonSchema
  readonly example?: unknown
  readonly allowEmptyValue?: boolean
}
type MediaType = {
  readonly schema?: JsonSchema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, unknown>>
}
type Content = Readonly<Record<string, MediaType>>
export type OperationObject = {
  readonly tags: readonly string[]
  readonly operationId: string
  readonly summary: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly description?: string; readonly required: boolean; readonly content: Content }
  /** Of an operation with a body. */
  readonly 'x-body-bytes-max'?: number
  /** Of an operation that waits for its turn. */
  readonly 'x-turns'?: string
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}
export type OpenApiDocument = {
  readonly openapi: string
  readonly info: Readonly<Record<string, unknown>>
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly examples: Readonly<Record<string, { readonly value: unknown }>>
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  }
}

type Access = 'public' | 'project' | 'operator'
export type Operation = {
  /** `PUT /api/v1/aliases/{alias}` */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly access: Access
  readonly parameters: readonly Parameter[]
  readonly declared: OperationObject
}

/** Every operation of the document. */
export function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const declared = item[method]
      if (declared === undefined) return []
      const name = `${method.toUpperCase()} ${path}`
      const access = accessOf(declared)
      return [{ name, method: method.toUpperCase(), path, access, parameters: declared.parameters ?? [], declared }]
    }),
  )
}

function accessOf({ security }: OperationObject): Access {
  if (security.length === 0) return 'public'
  return security.some((scheme) => 'AdminKey' in scheme) ? 'operator' : 'project'
}

/** The names of the operations that the router serves, as the document would write them (less a slash at the end). */
export function routedNames(app: Service['app']): string[] {
  return app.routes.map(
    ({ method, path }) => `${method} ${withoutSlash(path.replaceAll(/:(\w+)(\{\.\+\})?/g, '{$1}'))}`,
  )
}

export const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)

/** Of these the last parameter takes all segments that follow. */
const DEEP = new Set(['/log/tile/{level}/{index}'])

/** The methods that some operation serves at a concrete path, HEAD with GET. */
export function methodsAt(operations: readonly Operation[], path: string): string[] {
  const segments = segmentsOf(path)
  const matches = (template: string): boolean => {
    const parts = segmentsOf(template)
    const isLong = parts.length === segments.length || (DEEP.has(template) && parts.length < segments.length)
    return isLong && parts.every((part, index) => /^\{/.test(part) || part === segments[index])
  }
  return methodsOf(operations.filter((operation) => matches(operation.path)))
}

/** The methods of the operations whose path this is, without parameters. */
export function ownMethodsAt(operations: readonly Operation[], path: string): string[] {
  const own = segmentsOf(path).join('/')
  return methodsOf(operations.filter((operation) => segmentsOf(operation.path).join('/') === own))
}

const segmentsOf = (path: string): string[] => withoutSlash(path.split('?', 1)[0] ?? '').split('/')

function methodsOf(operations: readonly Operation[]): string[] {
  const served = operations.map((operation) => operation.method)
  return [...new Set(served.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))]
}
