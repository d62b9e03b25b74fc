import type { Operation, Parameter } from './operations.js'

/** Values that the declared schema of a parameter excludes, and NUL, which every schema does. */
export function wrongValuesOf({ schema }: Parameter): string[] {
  const types = [schema['type']].flat()
  const wrong = ['a%00b']
  if (types.includes('integer')) wrong.push('x', '1.5', '-1', '1e1', '0x10', '%201', '+1', '%20')
  if (schema['format'] === 'uuid') wrong.push('x', '0')
  if (schema['enum'] !== undefined) wrong.push('x')
  const { maxLength } = schema
  if (typeof maxLength === 'number' && maxLength < 5_000) wrong.push('x'.repeat(maxLength + 1))
  return wrong
}

/** A path with one of the operation's parameters given this value, as it stands. */
export function withParameter(operation: Operation, path: string, parameter: Parameter, value: string): string {
  const [concrete = '', query = ''] = path.split('?')
  if (parameter.in === 'path') {
    const index = operation.path.split('/').indexOf(`{${parameter.name}}`)
    return concrete
      .split('/')
      .map((part, at) => (at === index ? value : part))
      .join('/')
  }
  const others = query.split('&').filter((pair) => pair !== '' && !pair.startsWith(`${parameter.name}=`))
  return `${concrete}?${[...others, `${parameter.name}=${value}`].join('&')}`
}
