import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'
import { runProgram, type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { CLAIMS } from '../unit/proof-fixtures.js'

const PROJECTS = ['crash-one', 'crash-two', 'crash-three']
/** Answers between one blow and the next. */
const ANSWERS = 60

let home: { path: string; remove(): Promise<void> }
beforeAll(async () => {
  home = await temporaryDirectory()
})
afterAll(async () => home.remove())

type Load = { readonly answered: Map<string, string[]>; readonly stop: () => Promise<void> }

/** Clients that issue receipts, and remember what they were answered, until they are told to stop. */
function startLoad(url: () => string): Load {
  const answered = new Map<string, string[]>(PROJECTS.map((project) => [project, []]))
  let running = true
  const client = async (project: string, name: string): Promise<void> => {
    for (let count = 0; running; count += 1) {
      const body = JSON.stringify({ ...CLAIMS, ...(count % 2 === 0 ? {} : { id: `${name}-${count}` }) })
      const headers = { 'X-Project-Key': project, 'Content-Type': 'application/json' }
      const signal = AbortSignal.timeout(10_000)
      try {
        const answer = await fetch(`${url()}/api/v1/receipts/issue`, { method: 'POST', headers, body, signal })
        const text = await answer.text()
        if (answer.status === 200) answered.get(project)?.push(text)
        else await sleep(20)
      } catch {
        await sleep(20)
      }
    }
  }
  const clients = PROJECTS.flatMap((project) => [0, 1, 2].map((at) => client(project, `${project}-${at}`)))
  return {
    answered,
    stop: async () => {
      running = false
      await Promise.all(clients)
    },
  }
}

it('a service and a PostgreSQL that are killed while receipts are issued lose none that was answered, and leave no gap', async () => {
  const { path } = home
  let program: ServedProgram = await serveProgram(path)
  const load = startLoad(() => program.url)
  const count = () => [...load.answered.values()].reduce((sum, texts) => sum + texts.length, 0)
  const more = async () => {
    const before = count()
    await eventually(async () => expect(count()).toBeGreaterThan(before + ANSWERS), 60_000)
  }
  await more()
  program.child.kill('SIGKILL')
  await program.ended
  program = await serveProgram(path)
  await more()
  const postmaster = await readFile(join(path, '.llmring', 'postgres', 'cluster', 'postmaster.pid'), 'utf8')
  process.kill(Number.parseInt(postmaster, 10), 'SIGKILL')
  await more()
  await load.stop()

  const get = async (route: string, key: string) => {
    const answer = await fetch(program.url + route, { headers: { 'X-Project-Key': key } })
    return { status: answer.status, text: await answer.text() }
  }
  for (const project of PROJECTS) {
    const { text } = await eventually(async () => {
      const whole = await get('/api/v1/receipts/export', project)
      const lines = whole.text.trimEnd().split('\n').slice(1, -1)
      expect([whole.status, lines.filter((line) => !line.includes('"proof":'))]).toEqual([200, []])
      return whole
    }, 60_000)
    const lines = text.trimEnd().split('\n').slice(1, -1)
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(lines.map((_, at) => at + 1))
    const missing = (load.answered.get(project) ?? []).filter((receipt) => !text.includes(`"receipt":${receipt}`))
    expect(missing).toEqual([])
    await writeFile(join(path, `${project}.ndjson`), text)
  }
  await writeFile(join(path, 'keys.json'), (await get('/receipts/public-keys.json', PROJECTS[0] ?? '')).text)
  await writeFile(join(path, 'policy'), (await get('/log/policy', PROJECTS[0] ?? '')).text)
  await stopProgram(program)
  const files = PROJECTS.map((project) => `${project}.ndjson`)
  const verified = await runProgram(['verify', ...files, '--keys', 'keys.json', '--policy', 'policy'], path)
  expect(verified.stdout + verified.stderr).not.toMatch(/proven bad/)
  expect([0, 2, 3]).toContain(verified.code)
}, 240_000)
