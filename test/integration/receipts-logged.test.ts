import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHistory, type DocumentJudgement, judgeDocument, readPins } from '../../src/core/proof/index.js'
import { nodeVerifierDeps } from '../support/audit.js'
import { faultsInChains } from '../support/chain-faults.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'
import { CLAIMS } from '../unit/proof-fixtures.js'

const RECEIPTS = '/api/v1/receipts'
let database: TestDatabase
let service: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url }, 2)
})
afterAll(async () => {
  await service.close()
  await database.drop()
})

const issue = (key: string, query = '', json: object = CLAIMS) =>
  service.call(`${RECEIPTS}/issue${query}`, { key, json })
const text = async (path: string, key = 'any') => (await service.call(path, { key })).text

/** The whole package of a project, once the log covers all of it. */
async function packageOf(key: string): Promise<string[]> {
  return eventually(async () => {
    const lines = (await text(`${RECEIPTS}/export`, key)).trimEnd().split('\n')
    expect(lines.slice(1, -1).filter((line) => !line.includes('"proof":'))).toEqual([])
    expect(lines.at(-1)).toContain('"type":"audit-end"')
    return lines
  })
}

/** What an auditor makes of these lines, with keys and policy of their own. */
async function judge(lines: readonly string[]): Promise<DocumentJudgement> {
  const deps = nodeVerifierDeps()
  const keys = Buffer.from(await text('/receipts/public-keys.json'))
  const policy = Buffer.from(await text('/log/policy'))
  const pins = await readPins(deps, { keys, policy, checkpoints: [] })
  if (!pins.ok) throw new Error(pins.detail)
  async function* document() {
    yield Buffer.from(`${lines.join('\n')}\n`)
  }
  return judgeDocument(
    deps,
    {
      ...{ keys: pins.keys, policy: pins.policy, kept: pins.kept, project: null, history: createHistory() },
      ...{ strict: false, trustEmbedded: false, anyTime: true },
    },
    { document: document(), proof: null, member: null },
  )
}

describe('the package of a service that logs', () => {
  it('holds as it is, after an erasure, and from any place on', async () => {
    const issued = await Promise.all(
      Array.from({ length: 25 }, (_, at) => issue('whole', '', { ...CLAIMS, id: `r${at}` })),
    )
    expect(new Set(issued.map(({ status }) => status))).toEqual(new Set([200]))
    const lines = await packageOf('whole')
    expect(lines).toHaveLength(27)
    expect(await judge(lines)).toMatchObject({
      kind: 'package',
      counts: { bad: 0, good: 25 },
      range: { from: 1, to: 25 },
    })
    const { key } = await adminOf('whole')
    expect((await service.call(`${RECEIPTS}/r7`, { key, method: 'DELETE' })).status).toBe(200)
    expect((await judge(await packageOf('whole'))).verdict).not.toBe('bad')
    const tail = (await text(`${RECEIPTS}/export?from_seq=9`, 'whole')).trimEnd().split('\n')
    expect(await judge(tail)).toMatchObject({ counts: { bad: 0 }, range: { from: 9, to: 25 } })
    expect(await faultsInChains(service.sql)).toEqual([])
  })

  /** What a keeper of the log might try on the way to an auditor. */
  const TRICKS: readonly (readonly [string, (lines: string[]) => string[]])[] = [
    ['leaves a receipt out', (lines) => lines.toSpliced(3, 1)],
    ['tells two in the other order', (lines) => lines.with(3, lines[4] ?? '').with(4, lines[3] ?? '')],
    ['tells one twice', (lines) => lines.toSpliced(3, 0, lines[3] ?? '')],
    ['writes another amount', (lines) => lines.with(3, (lines[3] ?? '').replace('"amount":"0.', '"amount":"9.'))],
    [
      'writes an earlier time',
      (lines) => lines.with(3, (lines[3] ?? '').replace('"issued_at":"20', '"issued_at":"19')),
    ],
    ['counts anew', (lines) => lines.map((line, at) => (at === 3 ? line.replaceAll('"seq":3', '"seq":4') : line))],
    ['names another place in the log', (lines) => lines.with(3, (lines[3] ?? '').replace(/"index":\d+/, '"index":0'))],
    [
      'takes a hash of a proof away',
      (lines) => lines.with(3, (lines[3] ?? '').replace(/"proof":\["[^"]+",?/, '"proof":[')),
    ],
    [
      'puts an entry of its own where it erased one',
      (lines) =>
        lines.with(
          3,
          (lines[3] ?? '').replace(/"receipt":\{.*\},"index"/, `"entry":"sha256:${'0'.repeat(64)}","index"`),
        ),
    ],
    [
      'says that it is another log',
      (lines) => lines.with(0, (lines[0] ?? '').replaceAll('llmring.local', 'other.local')),
    ],
    [
      'writes another size into the checkpoint',
      (lines) =>
        lines.with(
          0,
          (lines[0] ?? '').replace(/\\n(\d+)\\n/, (_, size) => `\\n${Number(size) + 1}\\n`),
        ),
    ],
  ]

  it.each(TRICKS)('does not hold for whoever %s', async (_name, trick) => {
    for (let count = 0; count < 5; count += 1) await issue('tricked')
    const lines = (await packageOf('tricked')).slice(0, 6)
    expect((await judge(lines)).counts.bad).toBe(0)
    const turned = trick([...lines])
    expect(turned).not.toEqual(lines)
    expect((await judge(turned)).verdict).toBe('bad')
  })

  it('does not hold with a receipt that was issued to another project', async () => {
    for (const project of ['mine', 'theirs']) for (let count = 0; count < 3; count += 1) await issue(project)
    const [mine, theirs] = [await packageOf('mine'), await packageOf('theirs')]
    expect((await judge([...mine.slice(0, 3), ...theirs.slice(3)])).verdict).toBe('bad')
  })
})

describe('whoever waits', () => {
  it('is answered by either instance once the log has it, with a proof that holds', async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      const { status, json, headers } = await issue('waiting', '?wait=logged&include=proof')
      expect([status, headers.get('preference-applied')]).toEqual([200, 'wait=60'])
      const { receipt, log_proof: proof } = json as { receipt: { id: string }; log_proof: { index: number } }
      // The other instance hears of the checkpoint a moment later.
      await eventually(async () => {
        const headers = { Accept: 'application/json' }
        const shown = await service.call(`${RECEIPTS}/${receipt.id}/proof`, { key: 'waiting', headers })
        expect(shown.json).toMatchObject({ index: proof.index })
      })
    }
  })

  it('by a header on the direct way is answered with the receipt alone', async () => {
    // Both instances know the key from here on.
    for (let turn = 0; turn < 4; turn += 1) await issue('direct')
    const before = service.directAnswers()
    const headers = { Prefer: 'wait=20' }
    const answer = await service.call(`${RECEIPTS}/issue`, { key: 'direct', json: CLAIMS, headers })
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, 'wait=20'])
    expect(service.directAnswers()).toBeGreaterThan(before)
    expect(Object.keys(answer.json as object)).toContain('signature')
  })
})

describe('while the log cannot take entries', () => {
  it('nothing is issued or stored, nothing takes a place, and afterwards the chain goes on', async () => {
    const own = await cloneDatabase()
    const alone = await startService({ LLMRING_DATABASE_URL: own.url })
    const ask = (json: object) => alone.call(`${RECEIPTS}/issue`, { key: 'p', json })
    const first = await ask({ ...CLAIMS, id: 'a' })
    expect(first.status).toBe(200)
    await alone.sql`alter table log_pending rename to log_pending_away`
    const whileAway = await ask({ ...CLAIMS, id: 'b' })
    expect(whileAway.status).toBeGreaterThanOrEqual(500)
    await alone.sql`alter table log_pending_away rename to log_pending`
    const next = await eventually(async () => {
      const answer = await ask({ ...CLAIMS, id: 'b' })
      expect(answer.status).toBe(200)
      return answer
    })
    expect(next.json).toMatchObject({ seq: 2 })
    expect(await faultsInChains(alone.sql)).toEqual([])
    await alone.close()
    await own.drop()
  })
})

async function adminOf(key: string): Promise<{ key: string }> {
  const [, line = '{}'] = await packageOf(key)
  const { project } = (JSON.parse(line) as { receipt: { project: string } }).receipt
  const made = await service.call(`/api/v1/admin/projects/${project}/keys`, {
    ...{ key: OPERATOR_KEY, json: { name: 'an admin', role: 'admin' } },
  })
  return made.json as { key: string }
}
