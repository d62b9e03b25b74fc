import { execFile } from 'node:child_process'
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuditLog, chainOf, keysText, packageBytes, policyText } from '../support/audit-world.js'
import { call } from '../support/call.js'
import { temporaryDirectory } from '../support/program.js'
import { copyProject } from '../support/project-copy.js'
import { ROOT } from '../support/readme.js'
import { openShell, type Shell } from '../support/terminal.js'

const run = promisify(execFile)
const PACK_MS_MAX = 300_000
const NPM = { npm_config_prefer_offline: 'true', npm_config_update_notifier: 'false', npm_config_fund: 'false' }

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let packed: { readonly filename: string; readonly files: readonly { readonly path: string }[] }
/** Where a user installed the package: nothing of the checkout is near. */
let elsewhere: string
let service: Shell | undefined

const shell = (script: string) =>
  openShell(script, elsewhere, { ...NPM, LLMRING_PORT: '0', LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/' })

const USE = `
import { AliasError } from 'llmring-server/client'
import { lockfileText, openLockfile } from 'llmring-server/client/lockfile'
import { openLockfileAt } from 'llmring-server/client/node'

const text = lockfileText('[aliases.default]\\nsummarizer = "openai:gpt-4o-mini"\\n')
const client = openLockfile(text)
const resolved = [await client.resolveAlias('summarizer'), await client.resolveAlias('google:gemini-2.5-pro')]
const error = await openLockfileAt({ path: 'none.lock' }).resolveAlias('summarizer').catch((error) => error)
console.log(...resolved, error instanceof AliasError && error.code)
`

/** Loads the client as a browser does, file by file, into a world that has no more than a page. */
const BROWSER = `
import { readFile } from 'node:fs/promises'
import { createContext, SourceTextModule } from 'node:vm'

const names = ['fetch', 'URL', 'AbortController', 'AbortSignal', 'TextDecoder', 'setTimeout', 'clearTimeout']
const page = createContext(Object.fromEntries(names.map((name) => [name, globalThis[name]])))
const loaded = new Map()
const load = async (address) => {
  if (!loaded.has(address)) {
    loaded.set(address, new SourceTextModule(await readFile(new URL(address), 'utf8'), { context: page, identifier: address }))
  }
  return loaded.get(address)
}
const link = (name, from) => {
  if (!name.startsWith('.')) throw new Error('no page knows ' + name)
  return load(new URL(name, from.identifier).href)
}
const entry = await load(import.meta.resolve('llmring-server/client'))
await entry.link(link)
await entry.evaluate()
const client = entry.namespace.connectServer({ url: 'http://127.0.0.1:9/', key: 'k' })
console.log((await client.resolveAlias('summarizer').catch((error) => error)).code)
`

const TYPED = `import { type AliasClient, AliasError, connectServer } from 'llmring-server/client'
import { lockfileText, openLockfile } from 'llmring-server/client/lockfile'
import { openLockfileAt } from 'llmring-server/client/node'

const clients: AliasClient[] = [connectServer({ url: 'http://127.0.0.1:8000', key: 'k', profile: 'prod' }), openLockfile(lockfileText(''))]
export const at: AliasClient = openLockfileAt({ env: {}, profile: 'prod' })
export const codes = (error: unknown) => (error instanceof AliasError ? error.problem?.status : undefined)
for (const client of clients) {
  const model: string = await client.resolveAlias('summarizer', { profile: 'x' })
  const wrong: number = await client.resolveAlias(model)
  console.log(wrong)
}
`

beforeAll(async () => {
  directory = await temporaryDirectory()
  const checkout = join(directory.path, 'checkout')
  elsewhere = join(directory.path, 'elsewhere')
  await mkdir(elsewhere, { mode: 0o755 })
  await copyProject(checkout)
  // What the last build left behind must not be shipped.
  await mkdir(join(checkout, 'dist', 'left-behind'), { recursive: true })
  await writeFile(join(checkout, 'dist', 'left-behind', 'old.js'), '')
  await symlink(join(ROOT, 'node_modules'), join(checkout, 'node_modules'))
  const { stdout } = await run('npm', ['pack', '--json'], { cwd: checkout, env: { ...process.env, ...NPM } })
  packed = JSON.parse(stdout.slice(stdout.indexOf('[')))[0]
  const installed = await shell(`npm install --no-audit ${join(checkout, packed.filename)}`).ended
  if (installed.code !== 0) throw new Error(installed.stdout + installed.stderr)
}, PACK_MS_MAX)

afterAll(async () => {
  service?.signal('SIGKILL')
  await service?.ended
  await directory.remove()
})

describe('the package that `npm pack` makes', () => {
  it('holds the program, freshly built, and its migrations, and nothing of the workshop', () => {
    const paths = packed.files.map(({ path }) => path)
    expect(paths).toContain('dist/main.js')
    expect(paths).toContain('migrations/0001_foundation.sql')
    expect(paths).toContain('src/db/citus.sql')
    // What the README points to.
    expect(paths).toEqual(expect.arrayContaining(['.env.example', '.docs/operations.md', '.docs/differences.md']))
    const registry = ['anthropic', 'google', 'openai'].map((name) => `dist/features/registry/bundled/${name}.json`)
    expect(paths).toEqual(expect.arrayContaining(registry))
    const expected =
      /^(dist\/.+\.js|dist\/page\/verify\.css|dist\/(client|core|platform)\/.+\.d\.ts|dist\/features\/registry\/bundled\/\w+\.json|migrations\/.+\.sql|src\/db\/citus\.sql|package\.json|README\.md|\.env\.example|\.docs\/\w+\.md)$/
    expect(paths.filter((path) => !expected.test(path))).toEqual([])
    expect(paths.filter((path) => path.startsWith('dist/left-behind'))).toEqual([])
  })

  it('leaves a checkout in which npx can run the program, although it was built anew', async () => {
    expect((await stat(join(directory.path, 'checkout', 'dist', 'main.js'))).mode & 0o111).toBe(0o111)
  })

  it('is a client to those who import it, in Node and where there is only what a browser has', async () => {
    await writeFile(join(elsewhere, 'use.mjs'), USE)
    const used = await shell('node use.mjs').ended
    expect(used).toMatchObject({
      code: 0,
      stdout: 'openai:gpt-4o-mini google:gemini-2.5-pro lockfile-missing\n',
      stderr: '',
    })
    await writeFile(join(elsewhere, 'browser.mjs'), BROWSER)
    const browsed = await shell('node --no-warnings --experimental-vm-modules browser.mjs').ended
    expect(browsed).toMatchObject({ code: 0, stdout: 'server-unreachable\n' })
  })

  it('has types that a strict program in TypeScript takes, and that refuse a mistake', async () => {
    await writeFile(join(elsewhere, 'use.mts'), TYPED)
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
    const compilerOptions = {
      noEmit: true,
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'dom'],
      types: [],
    }
    await writeFile(join(elsewhere, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.mts'] }))
    const checked = await shell(`"${tsc}" -p .`).ended
    expect(checked.stdout).toMatch(/^use\.mts\(10,.*'number'.*\n$/)
  })

  it('verifies offline in an empty folder, and brings the page that does', async () => {
    const chain = chainOf(3)
    const file = await new AuditLog(chain).packageLines(chain)
    const folder = join(elsewhere, 'auditor')
    await mkdir(folder)
    await writeFile(join(folder, 'keys.json'), keysText())
    await writeFile(join(folder, 'policy'), policyText())
    await writeFile(join(folder, 'package'), packageBytes(file))
    await writeFile(join(folder, 'gap'), packageBytes(file.filter((_, at) => at !== 2)))
    // No settings, and nothing that it could ask.
    const verify = (name: string) =>
      shell(`cd auditor && npx llmring-server verify - --keys keys.json --policy policy < ${name}`).ended
    expect(await verify('package')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('-: proven good'),
    })
    expect(await verify('gap')).toMatchObject({ code: 1, stdout: expect.stringContaining('Number 2 is missing.') })
    expect(await shell('npx llmring-server verify --self-test').ended).toMatchObject({ code: 0 })
    const paths = packed.files.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['dist/page/main.js', 'dist/page/verify.css']))
  })

  it('runs with npx where it is installed: its version, and the service with its embedded database', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    expect(await shell('npx llmring-server --version').ended).toMatchObject({ code: 0, stdout: `${version}\n` })

    service = shell('npx llmring-server serve')
    const url = await service.said(/answers at (\S+)[\s\S]*receipts/)
    expect((await call(url, '/health')).json).toEqual({ status: 'healthy', database: 'connected' })
    service.signal('SIGTERM')
    const { stdout } = await service.ended
    expect(stdout.trim().split('\n').at(-1)).toContain('stopped')
  })
})
