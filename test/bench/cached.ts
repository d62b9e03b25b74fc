import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { headers, type Result, type Stage } from './experiments.js'
import { quantile } from './pairs.js'
import { startBuilt } from './processes.js'

const HITS = 1_000
const MEDIAN_MS_MAX = 1
const CONFIG = `providers:
  - { name: echo, type: echo, models: [{ model: parrot }] }
`
const BODY = JSON.stringify({
  ...{ model: 'parrot', temperature: 0 },
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
})
const SAME = BODY.replace('What is the capital of France?', "What's France's capital city?")

/** How long an answer out of the cache takes, one request after the other: an equal one, and the same in other words. */
export async function answerAgain(stage: Stage): Promise<Result[]> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-'))
  const file = join(directory, 'gateway.yaml')
  await writeFile(file, CONFIG)
  const served = await startBuilt({
    LLMRING_DATABASE_URL: await stage.newDatabase(),
    LLMRING_ROUTER_CONFIG: file,
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const url = `${served.url}/v1/chat/completions`
  const results: Result[] = []
  try {
    await ask(agent, url, BODY, 'MISS')
    for (const [how, body] of [['HIT', BODY] as const, ['SEMANTIC', SAME] as const]) {
      for (let warm = 0; warm < HITS / 2; warm += 1) await ask(agent, url, body, how)
      const times: number[] = []
      for (let hit = 0; hit < HITS; hit += 1) times.push(await ask(agent, url, body, how))
      const median = quantile(times, 0.5)
      results.push({
        name: `cached answer, ${how}, median of ${HITS}`,
        goal: `< ${MEDIAN_MS_MAX} ms`,
        holds: median < MEDIAN_MS_MAX,
        measured: `${median.toFixed(2)} ms, p95 ${quantile(times, 0.95).toFixed(2)} ms`,
        detail: { medianMs: median, p95Ms: quantile(times, 0.95), p99Ms: quantile(times, 0.99) },
      })
    }
  } finally {
    agent.destroy()
    await served.stop()
    await rm(directory, { recursive: true, force: true })
  }
  return results
}

/** The milliseconds until the whole answer was there. */
function ask(agent: Agent, url: string, body: string, how: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const begun = performance.now()
    const outgoing = request(url, { agent, method: 'POST', headers }, (incoming) => {
      incoming.resume()
      incoming.on('end', () => {
        const found = `${incoming.statusCode} ${incoming.headers['x-llm-router-cache']}`
        if (found === `200 ${how}`) resolve(performance.now() - begun)
        else reject(new Error(`expected 200 ${how}, got ${found}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
