import type { LockfileFormat } from '../../core/lockfile/index.js'

export const TOML_TYPE = 'application/toml'
const FORMATS: Readonly<Record<string, LockfileFormat>> = { 'application/json': 'json', [TOML_TYPE]: 'toml' }

/**
 * The format that `Accept` wants most (RFC 9110, 12.5.1): TOML, unless JSON is named with more weight. A lockfile is
 * never refused for what its reader accepts.
 */
export function preferredFormat(accept: string | undefined): LockfileFormat {
  const weights: Record<LockfileFormat, number> = { toml: 0, json: 0 }
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const format = FORMATS[type]
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (format !== undefined && weight > weights[format]) weights[format] = weight
  }
  return weights.json > weights.toml ? 'json' : 'toml'
}
