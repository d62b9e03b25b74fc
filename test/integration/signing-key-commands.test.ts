import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findReceiptKeys } from '../../src/compose/receipt-keys.js'
import { readConfig } from '../../src/config/config.js'
import { ensureKeyFile, rotateKeyFile } from '../../src/features/receipts/key-file.js'
import { KeyConfigurationError } from '../../src/features/receipts/signing-keys.js'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
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
  })
})

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
