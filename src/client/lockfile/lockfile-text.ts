import { type Lockfile, type LockfileFormat, parseLockfile } from '../../core/lockfile/index.js'
import { AliasError } from '../alias-error.js'

export type ReadOptions = {
  /** For messages. */
  readonly where: string
  readonly format: LockfileFormat
  /** A server may serve models that name no provider; a file has none. */
  readonly bareModels?: 'refuse' | 'keep'
}

/** A lockfile's text, read. Throws `lockfile-invalid` with every problem, a line each. */
export function readLockfile(
  text: string,
  { where, format, bareModels = 'refuse' }: ReadOptions,
): { readonly lockfile: Lockfile; readonly warnings: readonly string[] } {
  const read = parseLockfile(text, format, { bareModels })
  if (read.ok) return read
  const lines = read.problems.map(({ pointer, message }) => `  ${pointer === '' ? '' : `${pointer}: `}${message}`)
  const more = read.problemCount - read.problems.length
  if (more > 0) lines.push(`  and ${more} more`)
  throw new AliasError('lockfile-invalid', `${where} is not a lockfile that can be used:\n${lines.join('\n')}`)
}

/** The format that a file's name tells. */
export const formatOf = (path: string): LockfileFormat => (path.endsWith('.json') ? 'json' : 'toml')
