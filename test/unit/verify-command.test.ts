import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/json/index.js'
import { CHECK_MEANINGS } from '../../src/core/proof/index.js'
import { type AuditCase, auditCases } from '../support/audit-cases.js'
import { AuditLog, chainOf, jsonBytes, keysText, policyText, receiptAfter } from '../support/audit-world.js'
import { runCommand } from '../support/command.js'
import { endCases } from '../support/end-cases.js'
import { statementCases } from '../support/statement-cases.js'

const EXIT = { good: 0, bad: 1, undecided: 2, unwitnessed: 3 } as const
const cases = [...(await auditCases()), ...(await endCases()), ...(await statementCases())]
const chain = chainOf(3)
const log = new AuditLog(chain)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llmring-verify-'))
  await put('keys.json', keysText())
  await put('policy', policyText())
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

const verify = (...args: readonly string[]) => runCommand(['verify', ...args])
const pins = () => ['--keys', join(folder, 'keys.json'), '--policy', join(folder, 'policy')]

async function argsOf(one: AuditCase): Promise<readonly string[]> {
  const { keys = keysText(), policy = policyText(), checkpoints = [], project, proof, statements } = one
  const kept = await Promise.all(checkpoints.map((note, at) => put(`kept-${at}`, note)))
  return [
    await put('case', one.document),
    ...(keys === null ? [] : ['--keys', await put('case-keys', keys)]),
    ...(policy === null ? [] : ['--policy', await put('case-policy', policy)]),
    ...(proof === undefined ? [] : ['--proof', await put('case-proof', proof)]),
    ...(statements === undefined ? [] : ['--statements', await put('case-statements', statements)]),
    ...kept.flatMap((path) => ['--checkpoint', path]),
    ...(project === undefined ? [] : ['--project', project]),
    ...(one.strict ? ['--strict'] : []),
    ...(one.anyTime ? ['--any-time'] : []),
    ...(one.trustEmbedded ? ['--trust-embedded-keys'] : []),
  ]
}

describe('verify', () => {
  test('exits with what the table of cases says, and prints the same verdict', async () => {
    const found: Record<string, number> = {}
    for (const one of cases) {
      const args = await argsOf(one)
      // Without any pin the command line refuses before a file is looked at.
      const { code, stdout } = await verify(...args, '--json')
      found[one.name] = code
      const pinned = one.keys !== null || one.policy !== null || one.trustEmbedded
      if (pinned) expect(JSON.parse(stdout), one.name).toMatchObject({ verdict: one.verdict, exit_code: code })
    }
    const unpinned = cases.filter(
      ({ keys, policy, trustEmbedded }) => keys === null && policy === null && !trustEmbedded,
    )
    const wanted = cases.map((one) => [one.name, unpinned.includes(one) ? 64 : EXIT[one.verdict]])
    expect(unpinned).toHaveLength(1)
    expect(found).toEqual(Object.fromEntries(wanted))
  })

  test('says of each check how it came out, and with --explain what it is for', async () => {
    const receipt = await put('receipt.json', jsonBytes(chain[0]))
    const proof = await put('receipt.tlog-proof', await log.proofBytes(chain[0] as JsonObject))
    const { code, stdout } = await verify(receipt, ...pins(), '--proof', proof)
    expect(code).toBe(0)
    expect(stdout).toContain(`${receipt}: proven good\n`)
    expect(stdout).toMatch(/\n {2}ok {2}inclusion {10}It is entry 1 of the 6 under the checkpoint\.\n/)
    expect(stdout).not.toContain(CHECK_MEANINGS.inclusion)
    expect((await verify(receipt, ...pins(), '--proof', proof, '--explain')).stdout).toContain(CHECK_MEANINGS.inclusion)
  })

  test('labels a verdict that rests on keys out of the file itself', async () => {
    const path = await put('package', await packageOf(chain))
    const { code, stdout } = await verify(path, '--trust-embedded-keys')
    expect(code).toBe(0)
    expect(stdout).toContain('whoever made the file chose whom to rely on')
    const json = JSON.parse((await verify(path, '--trust-embedded-keys', '--json')).stdout)
    expect(json.files[0]).toMatchObject({ trust: 'embedded', kind: 'package', range: { from: 1, to: 3 } })
    const pinned = JSON.parse((await verify(path, '--trust-embedded-keys', '--json', ...pins())).stdout)
    expect(pinned.files[0]).toMatchObject({ trust: 'pinned', verdict: 'good' })
  })

  test('finds what one file contradicts in another, and sums many up by the gravest', async () => {
    const one = await put('one.json', jsonBytes(await bundle(chain[1] as JsonObject, log)))
    const rewritten = receiptAfter(chain[0] ?? null, { model: 'gpt-4o' })
    const other = await put('other.json', jsonBytes(await bundle(rewritten, new AuditLog([rewritten]))))
    for (const path of [one, other]) expect((await verify(path, ...pins())).code, path).toBe(0)
    const { code, stdout } = await verify(one, other, ...pins())
    expect(code).toBe(1)
    expect(stdout).toContain('There are two different receipts with number 2')
    expect(stdout).toMatch(/\n2 files: 1 proven good, 1 proven bad\.\n$/)
    const third = await put('third.json', jsonBytes(chain[2]))
    expect((await verify(one, third, ...pins())).code).toBe(2)
  })

  test('shows nothing to a terminal that a stranger could steer it with', async () => {
    const path = await put('steering.json', jsonBytes({ id: 'a', key_id: 'k', project: '\u001b[2J', signature: '' }))
    expect((await verify(path, ...pins())).stdout).not.toContain('\u001b')
  })

  test('exits with 64 if it is used wrongly, before anything is judged', async () => {
    const receipt = await put('usage.json', jsonBytes(chain[0]))
    const keys = join(folder, 'keys.json')
    const wrong: readonly (readonly string[])[] = [
      [],
      [receipt],
      ['--nonsense'],
      [receipt, '--keys'],
      [receipt, '--keys', join(folder, 'none')],
      [receipt, '--keys', folder],
      [receipt, '--keys', receipt],
      [receipt, '--policy', keys],
      [receipt, '--keys', await put('long', new Uint8Array(1_048_577))],
      [receipt, ...pins(), '--checkpoint', keys],
      [receipt, ...pins(), '--statements', await put('statements', '{')],
      [join(folder, 'none'), ...pins()],
      [folder, ...pins()],
      ['-', '-', ...pins()],
      [receipt, receipt, ...pins(), '--proof', keys],
    ]
    for (const args of wrong) {
      const { code, stdout, stderr } = await verify(...args)
      expect({ args, code, stdout }).toEqual({ args, code: 64, stdout: '' })
      if (args[0] !== '--nonsense' && args.length !== 2) expect(stderr.trim().split('\n')).toHaveLength(1)
    }
  })

  test('holds the published vectors', async () => {
    const { code, stdout } = await verify('--self-test')
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({ code: 0, last: 'Every published vector holds.' })
    expect(stdout).toMatch(/RFC 8032[\s\S]*RFC 8785[\s\S]*worked log/)
  })
})

async function bundle(receipt: JsonObject, at: AuditLog): Promise<JsonObject> {
  const [, line] = await at.packageLines([receipt])
  const [header] = await at.packageLines([])
  const { index = null, proof = null } = line ?? {}
  return { receipt, log_proof: { index, proof, checkpoint: header?.['checkpoint'] ?? null } }
}

async function packageOf(receipts: readonly JsonObject[]): Promise<string> {
  return (await log.packageLines(receipts)).map((line) => JSON.stringify(line)).join('\n')
}
