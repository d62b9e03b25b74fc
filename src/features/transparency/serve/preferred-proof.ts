export const TEXT_TYPE = 'text/plain; charset=utf-8'

/** What `Accept` wants most (RFC 9110, 12.5.1): a proof file, unless JSON is named with more weight than text. */
export function preferredProof(accept: string | undefined): 'text' | 'json' {
  const weights = { text: 0, json: 0 }
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (type === 'text/plain') weights.text = Math.max(weights.text, weight)
    if (type === 'application/json') weights.json = Math.max(weights.json, weight)
  }
  return weights.json > weights.text ? 'json' : 'text'
}
