import { execFileSync } from 'node:child_process'
import { createPublicKey, verify } from 'node:crypto'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import canonicalize from 'canonicalize'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClient } from '../../src/db/client.js'
import { call } from '../support/call.js'
import { databaseUrl } from '../support/global-setup.js'
import { temporaryDirectory } from '../support/program.js'
import { copyProject } from '../support/project-copy.js'
import { allBlocks, type Block, keepsPromise, promisedPrint, ROOT, readSteps } from '../support/readme.js'
import { openShell, type Shell } from '../support/terminal.js'

const START = 'npm ci && npm start'
/** This suite: it cannot run inside itself. That the gate runs it is another test's promise. */
const SUITE = 'npm ci && npm test'
/** What the README says and the test replaces; of the commands nothing else is changed. */
const ADDRESS = '127.0.0.1:8000'
/** The same of a witness. */
const WITNESS_ADDRESS = '127.0.0.1:8110'
/** The same of a second service. */
const GATEWAY_ADDRESS = '127.0.0.1:8200'
/** `npx` itself runs in the blocks under this heading, and starts the program at once in all others: it takes 0.5 s to. */
const NPX_HEADING = 'Commands and settings'
/** How a program in a block is run. */
const PROGRAMS: Readonly<Record<string, string>> = { python: 'python3', ts: 'npx tsx' }
const ELSEWHERE = 'postgres://llmring:password@db.example/llmring'

const INSTALL_MS_MAX = 400_000
const BLOCK_MS_MAX = 120_000
const STOP_MS_MAX = 60_000
/** Stands between the outputs of a block's steps. */
const SEPARATOR = '\u001e'

const blocks = allBlocks()
const shellBlocks = blocks.filter(({ kind }) => kind === 'sh')
const toRun = blocks.filter(
  ({ kind, text }) => ['sh', ...Object.keys(PROGRAMS)].includes(kind) && text !== START && text !== SUITE,
)
const BUNDLED = join(ROOT, 'src/features/registry/bundled')
/** The tour works without a network: no registry answers here. */
const NO_REGISTRY = 'http://127.0.0.1:9/'
const PID_FILE = '.llmring/postgres/cluster/postmaster.pid'
const database = `readme_${process.pid}`
const shells = new Set<Shell>()
const outputs: string[] = []

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let shortcuts: Awaited<ReturnType<typeof temporaryDirectory>>
let copied: ReadonlySet<string>
let service: Shell
let url = ''

beforeAll(async () => {
  ;[directory, shortcuts] = await Promise.all([temporaryDirectory(), temporaryDirectory()])
  const npx = `#!/bin/sh\n[ "$1" = llmring-server ] && shift && exec node '${directory.path}/dist/main.js' "$@"\nexit 1\n`
  await writeFile(join(shortcuts.path, 'npx'), npx, { mode: 0o755 })
  await onServer(`create database ${database}`)
  copied = await copyProject(directory.path)
  service = open(START)
  url = await service.said(/answers at (\S+)[\s\S]*receipts/)
}, INSTALL_MS_MAX)

afterAll(async () => {
  for (const shell of shells) {
    shell.signal('SIGKILL')
    await shell.ended
  }
  // An embedded PostgreSQL outlives a service that was killed; this command adopts it and stops it in an orderly way.
  if (await exists(PID_FILE)) await open('node dist/main.js migrate').ended
  await onServer(`drop database if exists ${database} with (force)`)
  await Promise.all([directory.remove(), shortcuts.remove()])
}, STOP_MS_MAX)

describe('the README', () => {
  it(`starts a healthy service with \`${START}\` in a fresh copy of the project`, async () => {
    expect(shellBlocks.slice(0, 2).map(({ text }) => text)).toEqual([START, SUITE])
    expect((await call(url, '/health')).json).toEqual({ status: 'healthy', database: 'connected' })
  })

  it(`runs \`npx\` itself under "${NPX_HEADING}"`, () => {
    expect(toRun.filter(({ heading, text }) => heading === NPX_HEADING && text.includes('npx '))).not.toEqual([])
  })

  it.each(toRun.map((block) => [block.heading, block.line, block] as const))(
    'tells the truth under "%s": the commands in line %i answer what stands there',
    async (_heading, _line, block) => {
      if (block.kind in PROGRAMS) return checkProgram(block)
      const answered = await runBlock(block)
      outputs.push(...answered.map(({ output }) => output))
      for (const { commands, promised, output } of answered) {
        if (promised === undefined) continue
        expect(keepsPromise(output, promised), `${commands}\nanswers\n${output}\nand not\n${promised}`).toBe(true)
      }
    },
    BLOCK_MS_MAX,
  )

  it('shows the cost that the prices give: 1200 × 0.15 + 300 × 0.60 = 360 USD for a million such events', async () => {
    // One by the shell, one by each program.
    const [logged] = (await call(url, '/api/v1/logs', { key: 'my-team' })).json
    expect(logged).toMatchObject({ model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 300, cost: 0.00036 })
    const { summary } = (await call(url, '/api/v1/stats', { key: 'my-team' })).json
    expect(summary).toMatchObject({ total_requests: 3, total_cost: '0.001080000000', unpriced_requests: 0 })
    const prices = JSON.parse(await readFile(join(BUNDLED, 'openai.json'), 'utf8'))
    expect(prices.models['openai:gpt-4o-mini']).toMatchObject({
      dollars_per_million_tokens_input: 0.15,
      dollars_per_million_tokens_output: 0.6,
    })
  })

  it('leaves a receipt that anybody can verify with the published key and RFC 8785', async () => {
    const { signature, ...receipt } = JSON.parse(await readFile(join(directory.path, 'receipt.json'), 'utf8'))
    const key = createPublicKey((await call(url, '/receipts/public-key.pem', { key: null })).text)
    const signed = Buffer.from(String(signature).replace('ed25519:', ''), 'base64url')
    const holds = (document: unknown) => verify(null, Buffer.from(canonicalize(document) ?? ''), key, signed)
    expect(holds(receipt)).toBe(true)
    expect(holds({ ...receipt, alias: 'another' })).toBe(false)
    const x = Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url').toString('hex')
    // What openssl printed.
    expect(outputs.join('').replaceAll(/[\s:]/g, '')).toContain(x)
  })

  it('leaves nothing behind that version control would take', async () => {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: directory.path, encoding: 'utf8' })
    git('init', '--quiet')
    const taken = git('ls-files', '-o', '--exclude-standard', '-z')
      .split('\0')
      .filter((path) => path !== '')
    expect(taken.filter((path) => !copied.has(path))).toEqual([])
  })

  it('keeps addresses at the proxy that the service knows', async () => {
    const [proxy] = blocks.filter(({ kind }) => kind === 'caddyfile')
    expect(proxy?.text).toContain(`reverse_proxy ${ADDRESS}`)
    const kept = /@internal path (.*)$/m.exec(proxy?.text ?? '')?.[1]?.split(' ') ?? []
    const known = Object.keys((await call(url, '/openapi.json')).json.paths as object)
    expect(kept.length).toBeGreaterThan(2)
    for (const path of kept)
      expect(
        known.filter((one) => one.startsWith(path.replace('*', ''))),
        path,
      ).not.toEqual([])
  })

  it(
    'stops the service with Ctrl-C, and its PostgreSQL with it',
    async () => {
      service.signal('SIGINT')
      const { stdout } = await service.ended
      expect(stdout.trim().split('\n').at(-1)).toContain('stopped')
      expect(await exists(PID_FILE)).toBe(false)
    },
    STOP_MS_MAX,
  )
})

function open(script: string): Shell {
  const shell = openShell(script, directory.path, {
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    LLMRING_PORT: '0',
    LLMRING_REGISTRY_BASE_URL: NO_REGISTRY,
  })
  shells.add(shell)
  void shell.ended.then(() => shells.delete(shell))
  return shell
}

/** Runs a block in one shell, which stops at the first command that fails, and tells the steps' outputs apart. */
async function runBlock(block: Block) {
  const steps = readSteps(block)
  const script = steps.map(({ commands }) => commands).join("\nprintf '\\036'\n")
  const target = databaseUrl(inject('serverUrl'), database)
  const addresses = { [ADDRESS]: new URL(url).host, [WITNESS_ADDRESS]: `127.0.0.1:${await freePort()}` }
  const all = { ...addresses, [GATEWAY_ADDRESS]: `127.0.0.1:${await freePort()}` }
  const served = Object.entries(all).reduce((text, [shown, real]) => text.replaceAll(shown, real), script)
  const real = served.replaceAll(ELSEWHERE, `'${target}'`)
  // As in a terminal, a job is a group of processes: what ends it ends all of it.
  const path = block.heading === NPX_HEADING ? '' : `PATH='${shortcuts.path}':$PATH\n`
  const { code, stdout, stderr } = await open(`set -euo pipefail -m\n${path}${real}`).ended
  if (code !== 0) throw new Error(`The block in line ${block.line} ended with ${code}:\n${stdout}\n${stderr}`)
  const parts = stdout.split(SEPARATOR)
  expect(parts).toHaveLength(steps.length)
  return steps.map((step, index) => ({ ...step, output: parts[index] ?? '' }))
}

/** Runs a program as it stands there, but for the address, and compares what it prints. */
async function checkProgram(block: Block): Promise<void> {
  const file = join(directory.path, `program.${block.kind}`)
  await writeFile(file, block.text.replaceAll(ADDRESS, new URL(url).host))
  const { code, stdout, stderr } = await open(`${PROGRAMS[block.kind]} program.${block.kind}`).ended
  await rm(file)
  expect(code, stderr).toBe(0)
  expect(stdout.trim()).toBe(promisedPrint(block))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

const exists = (path: string): Promise<boolean> =>
  stat(join(directory.path, path)).then(
    () => true,
    () => false,
  )

async function onServer(statement: string): Promise<void> {
  const options = { schema: 'public', connectionsMax: 1, prepare: false, pooled: true }
  const sql = createClient({ url: inject('serverUrl'), ...options })
  await sql.unsafe(statement)
  await sql.end({ timeout: 5 })
}
