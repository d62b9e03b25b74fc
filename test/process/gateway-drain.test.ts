import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { beginEvents, chunk, sendData, startUpstream, wellBehaved } from '../support/local-upstream.js'
import { serveProgram, stopProgram } from '../support/program.js'
import { placeForPrograms } from '../support/program-place.js'

const messages = [{ role: 'user', content: 'Say it again' }]
const CALLS = 40

const place = placeForPrograms()

test('SIGTERM loses no row: not of calls that were just answered, nor of a stream whose caller left', async () => {
  const upstream = await startUpstream(wellBehaved)
  const config = join(place.directory(), 'gateway.yaml')
  const provider = `{ name: local, base_url: "${upstream.url}", model: small }`
  writeFileSync(config, `providers: [${provider}]\nserver: { drain_seconds: 1 }\ncache: { enabled: false }\n`)
  const settings = { LLMRING_DATABASE_URL: place.databaseUrl(), LLMRING_ROUTER_CONFIG: config }
  const program = await serveProgram(place.directory(), settings)
  const headers = { Authorization: 'Bearer a-team', 'Content-Type': 'application/json' }
  const ask = (url: string, more: object = {}, init: RequestInit = {}) => {
    const body = JSON.stringify({ model: 'small', messages, ...more })
    return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body, ...init })
  }
  // The first one makes the project.
  await (await ask(program.url)).text()
  await Promise.all(Array.from({ length: CALLS }, async () => (await ask(program.url)).text()))
  upstream.behave((outgoing) => {
    beginEvents(outgoing)
    const talking = setInterval(() => sendData(outgoing, chunk({ content: 'word ' })), 20)
    outgoing.on('close', () => clearInterval(talking))
  })
  const leaving = new AbortController()
  const stream = await ask(program.url, { stream: true }, { signal: leaving.signal })
  await stream.body?.getReader().read()
  leaving.abort()
  expect((await stopProgram(program)).code).toBe(0)
  await upstream.close()

  const again = await serveProgram(place.directory(), settings)
  const answer = await fetch(`${again.url}/api/v1/logs?limit=500`, { headers })
  const rows = (await answer.json()) as { metadata: { outcome: string } }[]
  await stopProgram(again)
  const outcomes = rows.map(({ metadata }) => metadata.outcome)
  expect(outcomes.filter((outcome) => outcome === 'answered')).toHaveLength(CALLS + 1)
  expect(outcomes.filter((outcome) => outcome !== 'answered')).toHaveLength(1)
})

test('SIGTERM ends the process, though a hook and a collector of traces still wait for something', async () => {
  const collector = await startUpstream(() => undefined)
  const config = join(place.directory(), 'hooked.yaml')
  writeFileSync(join(place.directory(), 'hook.mjs'), 'setInterval(() => {}, 1_000); export const choose = () => []\n')
  writeFileSync(config, 'providers: [{ name: echo, type: echo, model: parrot }]\npolicy: { hook: ./hook.mjs }\n')
  const program = await serveProgram(place.directory(), {
    ...{ LLMRING_DATABASE_URL: place.databaseUrl(), LLMRING_ROUTER_CONFIG: config },
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  })
  const headers = { Authorization: 'Bearer a-team', 'Content-Type': 'application/json' }
  const body = JSON.stringify({ model: 'echo:parrot', messages })
  expect((await fetch(`${program.url}/v1/chat/completions`, { method: 'POST', headers, body })).status).toBe(200)
  const { code, stdout } = await stopProgram(program)
  expect(code).toBe(0)
  expect(stdout).toContain('"msg":"stopped"')
  await collector.close()
})
