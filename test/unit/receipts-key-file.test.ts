import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ensureKeyFile as ensureKeyFileUnless } from '../../src/features/receipts/keys/key-file.js'
import { KeyConfigurationError, loadSigningKey } from '../../src/features/receipts/keys/signing-keys.js'

const ensureKeyFile = (file: string) => ensureKeyFileUnless(file, async () => undefined)

let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-key-file-'))
  path = join(directory, 'data', 'receipts-key')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('a key is generated once and is the same ever after', async () => {
  const key = await ensureKeyFile(path)
  expect(await ensureKeyFile(path)).toBe(key)
  expect(loadSigningKey({ privateKey: key, publicKey: undefined, keyId: undefined })?.sign).toBeTypeOf('function')
})

it('two installations get two keys', async () => {
  expect(await ensureKeyFile(path)).not.toBe(await ensureKeyFile(join(directory, 'other')))
})

it('nobody but the owner can read the key', async () => {
  await ensureKeyFile(path)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

it('whoever races gets the one key that won, and nothing else is left behind', async () => {
  for (let round = 0; round < 10; round += 1) {
    const file = join(directory, `data-${round}`, 'receipts-key')
    // Started one turn of the loop after the other, so that some are done while others have looked and not yet written.
    const keys: Promise<string>[] = []
    for (let started = 0; started < 24; started += 1) {
      keys.push(ensureKeyFile(file))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(new Set(await Promise.all(keys))).toEqual(new Set([(await readFile(file, 'utf8')).trim()]))
    expect(await readdir(join(directory, `data-${round}`))).toEqual(['receipts-key'])
  }
})

it('what a crash left half-made is not taken for the key', async () => {
  const key = await ensureKeyFile(path)
  await rm(path)
  await writeFile(`${path}.making-0011223344556677`, 'half a k')
  const next = await ensureKeyFile(path)
  expect(next).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(next).not.toBe(key)
})

it.each([
  ['empty', ''],
  ['cut', 'AAAAAAAAAAAAAAAAAAAAA'],
  ['two keys', `${'A'.repeat(43)}\n${'A'.repeat(43)}\n`],
  ['another spelling of 32 bytes', `${'A'.repeat(42)}B\n`],
])('a damaged key file (%s) is refused and never replaced', async (_name, text) => {
  await ensureKeyFile(path)
  await writeFile(path, text)
  await expect(ensureKeyFile(path)).rejects.toThrow(KeyConfigurationError)
  expect(await readFile(path, 'utf8')).toBe(text)
})

it('a key file that cannot be read is trouble, not a reason for a new key', async () => {
  await expect(ensureKeyFile(join(directory, 'file-as-folder', '\0'))).rejects.toThrow()
  await writeFile(join(directory, 'file-as-folder'), 'x')
  await expect(ensureKeyFile(join(directory, 'file-as-folder', 'key'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

it('a key that the database knows and that is gone is missed: no other one is made, and the words lead to one', async () => {
  const lost = ensureKeyFileUnless(path, async () => 'key-of-old')
  await expect(lost).rejects.toThrow(KeyConfigurationError)
  await expect(lost).rejects.toThrow(/key-of-old/)
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  const command = /\(umask .*\)$/.exec(String(await lost.catch((error: unknown) => error)))?.[0] ?? 'false'
  await mkdir(dirname(path))
  execFileSync('sh', ['-c', command])
  expect(await ensureKeyFileUnless(path, async () => 'key-of-old')).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})
