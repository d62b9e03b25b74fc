import { once } from 'node:events'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CLI_LIMITS } from '../../src/cli/limits.js'
import { noteBytesMax, parseNoteKey, parseSignatureLines, verifyNote } from '../../src/core/tlog/index.js'
import { runCommand } from '../support/command.js'
import { stopProgram, temporaryDirectory } from '../support/program.js'
import { SignedLog } from '../support/signed-log.js'
import { type RunningWitness, startWitness, submit } from '../support/witness-program.js'
import { nodeVerifier } from '../unit/proof-fixtures.js'
import { sha256 } from '../unit/tlog-trees.js'

const ORIGINS = ['refusals', 'forks', 'race', 'slow'].map((name) => `receipts.example/${name}`)

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
/** Of several logs, for what needs no process of its own. */
let shared: RunningWitness
let round = 0
const running = new Set<RunningWitness>()

beforeAll(async () => {
  directory = await temporaryDirectory()
  const keys = ORIGINS.flatMap((name) => ['--log', new SignedLog(7, name).keyText])
  shared = await startWitness(directory.path, ['--state', 'shared', ...keys, '--json'])
})
afterAll(async () => {
  await stopProgram(shared, 'SIGKILL')
  await directory.remove()
})
beforeEach(() => {
  round += 1
})
afterEach(async () => {
  for (const witness of running) await stopProgram(witness, 'SIGKILL')
  running.clear()
})

const statePath = () => join(directory.path, `state-${round}`)
const args = (state = statePath()) => ['--state', state, '--log', new SignedLog().keyText]
/** One that ends before it answers: no process of its own. */
const refused = (more: readonly string[]) => runCommand(['witness', '--listen', '127.0.0.1:0', ...more])

async function start(environment: Record<string, string> = {}): Promise<RunningWitness> {
  const witness = await startWitness(directory.path, args(), environment)
  running.add(witness)
  return witness
}

async function stop(witness: RunningWitness, signal: NodeJS.Signals = 'SIGTERM') {
  running.delete(witness)
  return stopProgram(witness, signal)
}

it('makes the folders of its state, and says in words why it cannot', async () => {
  const state = join(directory.path, 'not', 'there', 'yet', 'state')
  const witness = await startWitness(directory.path, args(state))
  running.add(witness)
  expect((await readdir(join(state, '..'))).sort()).toEqual(expect.arrayContaining(['state', 'state.key']))
  await stop(witness)
  await writeFile(join(directory.path, 'a-file'), '')
  const { code, stderr } = await refused(args(join(directory.path, 'a-file', 'state')))
  expect([code !== 0, stderr]).toEqual([true, expect.stringMatching(/a-file: there is something of that name already/)])
})

/** Two logs of one key that agree on their first five entries. */
function forks(name?: string): readonly [SignedLog, SignedLog] {
  return [new SignedLog(7, name).append(5).append(4, 'one'), new SignedLog(7, name).append(5).append(4, 'another')]
}

/** A submission whose body has begun and does not end. Resolves once it is under way. */
async function sendSlowly(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const headers = ['POST /add-checkpoint HTTP/1.1', 'Host: witness', 'Content-Length: 1000', 'Expect: 100-continue']
  socket.write(`${headers.join('\r\n')}\r\n\r\nold`)
  await once(socket, 'data')
  return socket
}

describe('llmring-server witness', () => {
  it('cosigns a tree that grows, by the key that it shows, and keeps where it is over a restart', async () => {
    const [tree] = forks()
    const first = await start()
    for (const path of ['/', '/vkey']) expect(await (await fetch(first.url + path)).text()).toBe(`${first.keyText}\n`)
    const before = Math.floor(Date.now() / 1000)
    const answer = await submit(first.url, await tree.submission(0, 5))
    expect(answer.status).toBe(200)
    const parsed = parseNoteKey(sha256, first.keyText)
    const lines = parseSignatureLines(answer.text)
    if (!parsed.ok || !lines.ok) throw new Error('no key or no line')
    const cosigned = { text: (await tree.note(5)).text, signatures: lines.signatures }
    const verdict = await verifyNote(nodeVerifier(), [parsed.key], cosigned)
    expect(verdict).toMatchObject({ ok: true, endorsements: [{ time: expect.any(Number) }] })
    expect(verdict.ok && Number(verdict.endorsements[0]?.time)).toBeGreaterThanOrEqual(before)
    expect(await stop(first)).toMatchObject({ code: 0, signal: null })

    const second = await start()
    expect(second.keyText).toBe(first.keyText)
    expect(await submit(second.url, await tree.submission(0, 9))).toEqual({
      status: 409,
      type: 'text/x.tlog.size',
      text: '5\n',
    })
    expect(await submit(second.url, await tree.submission(5, 9))).toMatchObject({ status: 200 })
    // The same once more: a fresh time, and nothing else.
    expect(await submit(second.url, await tree.submission(9, 9))).toMatchObject({ status: 200 })
  })

  it('refuses whatever is no proof of growth, and forgets and remembers nothing by it', async () => {
    const { url } = shared
    const [tree] = forks(ORIGINS[0])
    expect(await submit(url, await tree.submission(0, 5))).toMatchObject({ status: 200 })
    const grown = Buffer.from(await tree.submission(5, 9)).toString()
    const stranger = new SignedLog(8, ORIGINS[0]).append(9)
    const cases: readonly (readonly [number, Uint8Array | string])[] = [
      [400, 'old 5\n'],
      [400, grown.replace('old 5', 'old 05')],
      [400, grown.replace('old 5', 'old 10')],
      [400, grown.replace('\n9\n', '\n9\nan extension\n')],
      [403, await stranger.submission(5, 9)],
      [403, grown.replace(/(— .{30}).{8}/, '$1AAAAAAAA')],
      [404, await new SignedLog(7, 'another.example/log').append(9).submission(5, 9)],
      [409, await tree.submission(4, 9)],
      [422, grown.replace(/\n[^\n]+\n\n/, '\n\n')],
      [422, grown.replace('\n\n', `\n${Buffer.alloc(32).toString('base64')}\n\n`)],
      [413, 'x'.repeat(noteBytesMax + 4_000)],
    ]
    for (const [status, body] of cases) {
      expect([body.slice(0, 60).toString(), (await submit(url, body)).status]).toEqual([
        body.slice(0, 60).toString(),
        status,
      ])
    }
    expect((await fetch(`${url}/add-checkpoint`)).status).toBe(405)
    expect((await fetch(`${url}/vkey`, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${url}/checkpoint`)).status).toBe(404)
    expect(await submit(url, grown)).toMatchObject({ status: 200 })
  })

  it('never cosigns two trees of one log: the second fork is refused at every size', async () => {
    const [one, another] = forks(ORIGINS[1])
    const witness = shared
    expect(await submit(witness.url, await one.submission(0, 7))).toMatchObject({ status: 200 })
    // The same size with another root, a proof from the common past, and one from a head that it never had.
    expect(await submit(witness.url, await another.submission(7, 7))).toMatchObject({ status: 422 })
    expect(await submit(witness.url, await another.submission(5, 9))).toMatchObject({ status: 409, text: '7\n' })
    expect(await submit(witness.url, await another.submission(7, 9))).toMatchObject({ status: 422 })
    expect(await submit(witness.url, await another.submission(0, 9))).toMatchObject({ status: 409, text: '7\n' })
    expect(await submit(witness.url, await one.submission(7, 9))).toMatchObject({ status: 200 })
  })

  it('cosigns one of two forks that come at the same moment', async () => {
    const { url } = shared
    const [one, another] = forks(ORIGINS[2])
    const bodies = await Promise.all([one, another, one, another].map((tree) => tree.submission(0, 9)))
    const statuses = (await Promise.all(bodies.map((body) => submit(url, body)))).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 409, 409, 409])
  })

  it('answers a log while more submissions than it takes at once come slowly', async () => {
    const { url } = shared
    const tree = new SignedLog(7, ORIGINS[3]).append(5)
    const slow = await Promise.all(Array.from({ length: CLI_LIMITS.witnessSubmissionsMax + 4 }, () => sendSlowly(url)))
    expect(await submit(url, await tree.submission(0, 5))).toMatchObject({ status: 200 })
    for (const socket of slow) socket.destroy()
  })

  it('lets no second process use its state, and takes it over after kill -9', async () => {
    const witness = await start()
    expect(await refused(args())).toMatchObject({ code: 75, stderr: expect.stringContaining('in use') })
    await stop(witness, 'SIGKILL')
    const left = async () => (await readdir(directory.path)).filter((name) => name.startsWith(`state-${round}.used-`))
    const [dead] = await left()
    await start()
    const now = await left()
    expect(now).toHaveLength(1)
    expect(now).not.toEqual([dead])
  })

  it('starts neither without its state, nor with one that it cannot read, nor without a log', async () => {
    const state = 'llmring-witness-state/v1\nreceipts.example/log1\n03\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'
    await writeFile(statePath(), state)
    expect(await refused(args())).toMatchObject({ code: 78, stderr: expect.stringContaining('no state of a witness') })
    // The key was made; the state is lost.
    await rm(statePath())
    expect(await refused(args())).toMatchObject({ code: 78, stderr: expect.stringContaining('--new-state') })
    const other = join(directory.path, 'other')
    expect(await refused(['--state', other])).toMatchObject({ code: 78, stderr: expect.stringContaining('--log') })
    expect((await readdir(directory.path)).filter((name) => name.startsWith('other'))).toEqual([])
  })

  const STEPS = ['write', 'rename', 'flush', 'answer'] as const
  it.each(STEPS)('cosigns at most one of two trees if it is killed before the %s', async (step) => {
    const [one, another] = forks()
    const dying = await start({ NODE_OPTIONS: `--import=${await killBefore(step)}` })
    expect(await submit(dying.url, await one.submission(0, 5))).toMatchObject({ status: 200 })
    expect(await submit(dying.url, await one.submission(5, 9))).toMatchObject({ status: null })
    expect(await dying.ended).toMatchObject({ signal: 'SIGKILL' })
    running.delete(dying)

    const next = await start()
    const forked = await submit(next.url, await another.submission(5, 9))
    // Until it was renamed, the head was kept nowhere; nor was it cosigned.
    expect(forked.status).toBe(step === 'write' || step === 'rename' ? 200 : 409)
    expect((await readdir(directory.path)).filter((name) => name.includes('.making-'))).toEqual([])
  })
})

/** A module that ends its process with SIGKILL before a step of the second answer. */
async function killBefore(step: 'write' | 'rename' | 'flush' | 'answer'): Promise<string> {
  const file = join(directory.path, `kill-before-${step}.mjs`)
  const patches = {
    write: `patch(files, 'open', (path, flags) => flags === 'wx')`,
    rename: `patch(files, 'rename', () => true)`,
    // The folder's: after the rename.
    flush: `const { rename } = files; let renamed = false
      files.rename = async (...args) => { await rename(...args); renamed = answered }
      patch(files, 'open', () => renamed)`,
    answer: '',
  }
  await writeFile(
    file,
    `import files from 'node:fs/promises'
    import http from 'node:http'
    import { syncBuiltinESMExports } from 'node:module'
    let answered = false
    const { writeHead } = http.ServerResponse.prototype
    http.ServerResponse.prototype.writeHead = function (...args) {
      if (answered) process.kill(process.pid, 'SIGKILL')
      answered = true
      return writeHead.apply(this, args)
    }
    function patch(owner, name, isDue) {
      const real = owner[name]
      owner[name] = function (...args) {
        if (answered && isDue(...args)) process.kill(process.pid, 'SIGKILL')
        return real.apply(this, args)
      }
    }
    ${patches[step]}
    syncBuiltinESMExports()
    `,
  )
  return pathToFileURL(file).href
}
