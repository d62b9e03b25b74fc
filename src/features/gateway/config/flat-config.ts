type Members = Record<string, unknown>

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The flat spelling of a configuration as the nested one: `models` with their providers in them, `ttl_sec` and
 * `similarity_thresh` of the cache, `read_timeout_sec` and `write_timeout_sec` of the server. Anything else is left as
 * it is.
 */
export function nestConfig(value: unknown): unknown {
  if (!isMembers(value)) return value
  const { models, cache, server, ...rest } = value
  const nested: Members = { ...rest }
  if (models !== undefined)
    nested['providers'] = Array.isArray(models) ? providersOf(rest['providers'], models) : models
  if (cache !== undefined)
    nested['cache'] = rename(cache, { ttl_sec: 'ttl_seconds', similarity_thresh: 'similarity_threshold' })
  if (server !== undefined) nested['server'] = serverOf(server)
  return nested
}

function providersOf(providers: unknown, models: readonly unknown[]): unknown[] {
  return [...(Array.isArray(providers) ? providers : []), ...models.map(providerOf)]
}

function providerOf(entry: unknown): unknown {
  if (!isMembers(entry)) return entry
  const { name, provider, model, cost_per_1k_in, cost_per_1k_out, max_tokens, tier, ...rest } = entry
  const sent = { model: model ?? name, cost_per_1k_in, cost_per_1k_out, max_tokens, tier }
  const said = Object.fromEntries(Object.entries(sent).filter(([, member]) => member !== undefined))
  return { ...rest, name, ...(provider === undefined ? {} : { type: provider }), models: [said] }
}

function rename(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (!isMembers(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [names[name] ?? name, member]))
}

function serverOf(server: unknown): unknown {
  if (!isMembers(server)) return server
  const { read_timeout_sec: read, write_timeout_sec: write, ...rest } = server
  const longest = Math.max(Number(read ?? 0), Number(write ?? 0))
  return longest > 0 ? { timeout_seconds: longest, ...rest } : rest
}
