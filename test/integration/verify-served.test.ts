import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService } from '../support/service.js'
import { CLAIMS } from '../unit/proof-fixtures.js'

let database: TestDatabase
let service: RunningService
let folder: string

beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
  folder = await mkdtemp(join(tmpdir(), 'llmring-served-'))
})
afterAll(async () => {
  await service.close()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

/** Saves what the service responds with, as an auditor does. */
async function save(path: string, name: string, headers: Record<string, string> = {}): Promise<string> {
  const { status, text } = await service.call(path, { headers })
  expect([path, status]).toEqual([path, 200])
  const place = join(folder, name)
  await writeFile(place, text)
  return place
}

test('what the service serves is proven good offline, and one changed digit proven bad', async () => {
  const [keys, policy] = [await save('/receipts/public-keys.json', 'keys'), await save('/log/policy', 'policy')]
  const issued = await service.call('/api/v1/receipts/issue', { json: { ...CLAIMS, id: 'served' } })
  expect(issued.status).toBe(200)
  const receipt = await save('/api/v1/receipts/served', 'receipt.json')
  const entry = createHash('sha256').update(issued.text).digest('hex')
  const proof = await eventually(() => save(`/log/proof?hash=${entry}`, 'receipt.tlog-proof'))
  const verify = (file: string, ...more: readonly string[]) =>
    runCommand(['verify', file, '--keys', keys, '--policy', policy, '--strict', ...more])
  const good = await verify(receipt, '--proof', proof)
  expect(good, good.stdout).toMatchObject({ code: 0, stderr: '' })
  const json = await save(`/log/proof?hash=${entry}`, 'proof.json', { Accept: 'application/json' })
  expect((await verify(receipt, '--proof', json)).code).toBe(0)
  expect((await verify(receipt)).code).toBe(2)
  const changed = join(folder, 'changed.json')
  await writeFile(changed, (await readFile(receipt, 'utf8')).replace('0.00036', '0.00037'))
  expect((await verify(changed, '--proof', proof)).code).toBe(1)
})

test('an exported audit package is proven good offline, and bad without one of its lines', async () => {
  const [keys, policy] = [await save('/receipts/public-keys.json', 'keys'), await save('/log/policy', 'policy')]
  for (const id of ['a', 'b', 'c']) {
    expect((await service.call('/api/v1/receipts/issue', { json: { ...CLAIMS, id } })).status).toBe(200)
  }
  await eventually(() => save('/api/v1/receipts/c/proof', 'last'))
  const whole = await save('/api/v1/receipts/export?from_seq=1', 'package')
  const verify = (file: string, ...more: readonly string[]) =>
    runCommand(['verify', file, '--keys', keys, '--policy', policy, '--json', ...more])
  const good = await verify(whole)
  expect(good.code, good.stdout).toBe(0)
  expect(JSON.parse(good.stdout).files[0]).toMatchObject({ kind: 'package', verdict: 'good', trust: 'pinned' })
  const lines = (await readFile(whole, 'utf8')).trimEnd().split('\n')
  const cut = join(folder, 'cut')
  await writeFile(cut, [...lines.slice(0, -2), lines.at(-1)].join('\n'))
  expect((await verify(cut)).code).toBe(1)
  expect((await runCommand(['verify', whole, '--trust-embedded-keys'])).code).toBe(0)
})
