import { fromRatio, headers, post, type Result, type Stage } from './experiments.js'
import { compare } from './pairs.js'
import { startBare, startBuilt } from './processes.js'

const ALIASES = 100
const LIST = '/api/v1/aliases/?profile=default'

/**
 * A list of 100 aliases: by a client that has it, against a server that answers 304 to everything, and whole, against
 * one that answers the same bytes.
 */
export async function lists(stage: Stage): Promise<Result[]> {
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase() })
  const items = Array.from({ length: ALIASES }, (_, index) => ({
    alias: `alias-${index}`,
    models: ['openai:gpt-4o-mini', 'anthropic:claude-sonnet-4'],
    metadata: { owner: 'search' },
  }))
  await post(served, '/api/v1/aliases/bulk_upsert', items)
  const listed = await fetch(served.url + LIST, { headers })
  const text = await listed.text()
  const etag = listed.headers.get('etag') ?? ''
  const order = { method: 'GET' as const, headers, path: LIST, expect: '' }

  const unchanged = { ...order, headers: { ...headers, 'If-None-Match': etag }, status: 304 }
  const bare = await startBare('unchanged', etag)
  const conditional = await compare(stage.loads, { served, order: unchanged }, { served: bare, order: unchanged })
  await bare.stop()

  const whole = { ...order, expect: `"alias-${ALIASES - 1}"` }
  const sameBytes = await startBare('constant', text)
  const full = await compare(stage.loads, { served, order: whole }, { served: sameBytes, order: whole })
  await Promise.all([sameBytes.stop(), served.stop()])
  return [
    fromRatio(`list of ${ALIASES}, If-None-Match`, 0.7, conditional, {}),
    fromRatio(`list of ${ALIASES}, ${Math.round(text.length / 1024)} KiB`, 0.5, full, {}),
  ]
}
