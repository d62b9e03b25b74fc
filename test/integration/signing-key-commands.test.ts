import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findReceiptKeys } from '../../src/compose/receipt-keys.js'
import { readConfig } from '../../src/config/config.js'
import { ensureKeyFile, rotateKeyFile } from '../../src/features/receipts/keys/key-file.js'
import { KeyConfigurationError } from '../../src/features/receipts/keys/signing-keys.js'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService } from '../support/service.js'

const textOf = (byte: number) => Buffer.alloc(32, byte).toString('base64url')

describe('where the key is configured', () => {
  let database: TestDatabase
  let running: RunningService[]
  beforeEach(async () => {
    database = await cloneDatabase()
    running = []
  })
  afterEach(async () => {
    for (const service of running) await service.close()
    await database.drop()
  })

  const settings = (changes: Record<string, string> = {}) => ({
    LLMRING_DATABASE_URL: database.url,
    LLMRING_RECEIPTS_PRIVATE_KEY_B64: textOf(7),
    LLMRING_TLOG_PRIVATE_KEY_B64: textOf(8),
    LLMRING_TLOG_GUARD: 'none',
    ...changes,
  })
  const start = async (changes?: Record<string, string>) => {
    const service = await startService(settings(changes))
    running.push(service)
    return service
  }
  const listed = async (): Promise<{ key_id: string; status: string }[]> =>
    JSON.parse((await runCommand(['signing-key', 'list', '--json'], settings())).stdout).keys

  it('rotate says what to set, and a service that is started like that goes on with the new key', async () => {
    expect((await runCommand(['signing-key', 'list'], settings())).stdout).toContain('No key has signed')
    expect(await runCommand(['signing-key', 'rotate'], settings())).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('has not signed here yet'),
    })
    const old = await start()
    const [first] = await listed()
    const pinnedKeys = (await old.call('/receipts/public-keys.json')).text
    expect(first).toMatchObject({ status: 'active' })
    const { stdout, code } = await runCommand(['signing-key', 'rotate'], settings())
    const made = /^LLMRING_RECEIPTS_PRIVATE_KEY_B64=(\S{43})$/m.exec(stdout)?.[1] ?? ''
    expect([code, stdout.includes(textOf(7))]).toEqual([0, false])
    await expect(startService(settings({ LLMRING_RECEIPTS_PRIVATE_KEY_B64: made }))).rejects.toThrow(
      /LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64 is not set/,
    )
    const now = await start({
      LLMRING_RECEIPTS_PRIVATE_KEY_B64: made,
      LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64: textOf(7),
    })
    expect((await listed()).map(({ status }) => status)).toEqual(['active', 'retired'])
    const shown = (await runCommand(['signing-key', 'list'], settings())).stdout.trim().split('\n')
    expect(shown).toEqual([expect.stringMatching(/^active .* - /), expect.stringMatching(/^retired /)])
    expect(shown[1]).toContain(first?.key_id)
    const claims = {
      ...{ model: 'openai:gpt-4o', registry_version: 'openai@7', alias: 'a', lock_digest: '' },
      ...{ tokens: { input: 1, output: 1 }, cost: { amount: '0.1' } },
    }
    // Both sign during a rollout, and the receipts of both verify on the new one.
    const key = 'a-project'
    const before = (await old.call('/api/v1/receipts/issue', { key, json: claims })).json
    const after = (await now.call('/api/v1/receipts/issue', { key, json: claims })).json
    expect([before.seq, after.seq, before.key_id === after.key_id]).toEqual([1, 2, false])
    for (const json of [before, after]) {
      expect((await now.call('/api/v1/receipts/verify', { json })).json).toMatchObject({ valid: true })
    }
    const statements = (await now.call('/receipts/key-statements.ndjson')).text.trim().split('\n')
    expect(statements.map((line) => JSON.parse(line).old_key_id)).toEqual([null, first?.key_id])
    await verifyOffline(now, { pinnedKeys, key, receipt: JSON.stringify(after) })
  })
})

/** An auditor who pinned the keys before the rotation needs its statement, and nothing else that is newer. */
async function verifyOffline(
  { call }: RunningService,
  { pinnedKeys, key, receipt }: { readonly pinnedKeys: string; readonly key: string; readonly receipt: string },
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-rotation-'))
  const put = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text)
    return join(directory, name)
  }
  await eventually(async () => {
    const hash = createHash('sha256').update(receipt).digest('hex')
    expect((await call(`/log/proof?hash=${hash}`)).status).toBe(200)
  })
  const pins = [
    ...['--keys', await put('keys', pinnedKeys), '--policy', await put('policy', (await call('/log/policy')).text)],
    '--json',
  ]
  const file = await put('receipt', receipt)
  expect(await runCommand(['verify', file, ...pins])).toMatchObject({
    code: 2,
    stdout: expect.stringContaining('not known here'),
  })
  const stated = await put('statements', (await call('/receipts/key-statements.ndjson')).text)
  const { stdout } = await runCommand(['verify', file, ...pins, '--statements', stated])
  const { checks } = JSON.parse(stdout).files[0].receipts[0]
  for (const name of ['key', 'signature', 'key-period']) {
    expect(checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }))
  }
  // A package brings the statements itself.
  const exported = await put('package', (await call('/api/v1/receipts/export', { key })).text)
  expect(await runCommand(['verify', exported, ...pins])).toMatchObject({ code: 0 })
  await rm(directory, { recursive: true })
}

describe('where the key is a file of the service’s own', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'llmring-signing-key-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('rotate makes a new one, and keeps the old one for the statement of the next start', async () => {
    const [path, previous] = [join(directory, 'receipts-key'), join(directory, 'receipts-key-previous')]
    await expect(rotateKeyFile(path, previous)).rejects.toThrow(KeyConfigurationError)
    const old = await ensureKeyFile(path, async () => undefined)
    const read = readConfig(directory, { LLMRING_DATA_DIR: directory })
    if (!read.ok) throw new Error(read.faults.join('\n'))
    expect(await findReceiptKeys(read.config)).toMatchObject({ privateKey: old, previousKey: undefined })
    await rotateKeyFile(path, previous)
    const keys = await findReceiptKeys(read.config)
    expect(keys).toMatchObject({ previousKey: old, privateKey: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) })
    expect((await readFile(path, 'utf8')).trim()).not.toBe(old)
  })
})
