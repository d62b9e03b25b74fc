import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startUpstream, wellBehaved } from '../support/local-upstream.js'
import { serveProgram, stopProgram } from '../support/program.js'
import { placeForPrograms } from '../support/program-place.js'

const headers = { Authorization: 'Bearer a-team', 'Content-Type': 'application/json' }
const CALLERS = 6
/** After so many answers it is killed, in the middle of others; all calls fit on one page of rows. */
const ANSWERS_UNTIL_KILL = 100
const CALLS_MAX = 450

const place = placeForPrograms()

test('with durable accounting whatever was answered has its row, also after kill -9', async () => {
  const upstream = await startUpstream(wellBehaved)
  const config = join(place.directory(), 'gateway.yaml')
  const provider = `{ name: local, base_url: "${upstream.url}", model: small }`
  writeFileSync(config, `providers: [${provider}]\naccounting: durable\n`)
  const settings = { LLMRING_DATABASE_URL: place.databaseUrl(), LLMRING_ROUTER_CONFIG: config }
  const program = await serveProgram(place.directory(), settings)
  // Each call has a profile of its own, which its row tells.
  const answered: string[] = []
  let calls = 0
  let isKilled = false
  const ask = async (stream: boolean): Promise<void> => {
    calls += 1
    const name = `call-${calls}`
    const messages = [{ role: 'user', content: 'Say it again' }]
    const response = await fetch(`${program.url}/v1/chat/completions`, {
      ...{ method: 'POST', headers: { ...headers, 'X-LLMRing-Profile': name } },
      body: JSON.stringify({ model: 'small', messages, stream }),
    })
    const text = await response.text()
    if (response.status === 200 && (!stream || text.includes('[DONE]'))) answered.push(name)
    if (answered.length < ANSWERS_UNTIL_KILL || isKilled) return
    isKilled = program.child.kill('SIGKILL')
  }
  // The first one makes the project.
  await ask(false)
  const call = async (index: number): Promise<void> => {
    while (!isKilled && calls < CALLS_MAX) await ask(index % 2 === 0).catch(() => undefined)
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => call(index)))
  expect(await program.ended).toMatchObject({ signal: 'SIGKILL' })
  await upstream.close()

  const again = await serveProgram(place.directory(), settings)
  const answer = await fetch(`${again.url}/api/v1/logs?limit=500`, { headers })
  const rows = (await answer.json()) as { profile: string; metadata: { outcome: string } }[]
  await stopProgram(again)
  const kept = rows.filter(({ metadata }) => metadata.outcome === 'answered').map(({ profile }) => profile)
  expect(answered.length).toBeGreaterThanOrEqual(ANSWERS_UNTIL_KILL)
  expect(answered.filter((name) => !kept.includes(name))).toEqual([])
  expect(new Set(kept).size).toBe(kept.length)
})
