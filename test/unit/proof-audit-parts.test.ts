import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/json/index.js'
import {
  createHistory,
  formatMembersRoot,
  hashMember,
  judgeDocument,
  readPins,
  runSelfTest,
} from '../../src/core/proof/index.js'
import { createChain } from '../../src/core/proof/judge-chain.js'
import { CHECK_MEANINGS, verdictOf, worstOf } from '../../src/core/proof/judgement.js'
import { documentBytesMax, readDocument } from '../../src/core/proof/read-document.js'
import { readFacts } from '../../src/core/proof/receipt-facts.js'
import { appendLeaves, emptyTree, makeInclusionProof, rootOfEdge, toLogProofJson } from '../../src/core/tlog/index.js'
import { auditCases } from '../support/audit-cases.js'
import {
  AuditLog,
  bytes,
  chainOf,
  entryOf,
  jsonBytes,
  keysText,
  nameOf,
  policyText,
  receiptAfter,
} from '../support/audit-world.js'
import { nodeVerifier } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

const deps = { ...nodeVerifier(), sha256 }

async function* pieces(...given: readonly Uint8Array[]) {
  yield* given
}

describe('every attack that a verifier has to catch', () => {
  /** The attacks of the specification, and the cases of the table that are about them. */
  const ATTACKS: Readonly<Record<string, readonly string[]>> = {
    equivocation: ['another tree of the same size'],
    omission: ['a gap in the numbers'],
    backdating: ['dated back: a witness saw the log without it later', 'a checkpoint of an hour later'],
    'rewriting or reordering': ['a rewritten receipt', 'receipts in another order', 'a place that goes back'],
    'silent key swap': ['another key under the same id', 'a key that is not pinned'],
    'showing only part': ['a gap in the numbers', 'a line that is not covered', 'no proof'],
    'signed but never merged': ['dated back: a witness saw the log without it later', 'no proof'],
    'replay into another project': ['a receipt of another project', 'a receipt of another project in a package'],
    'a signature on which libraries disagree': ['S + L in place of S', 'another spelling of the signature'],
    'ambiguous JSON': [
      'a name that occurs twice',
      'half a surrogate pair',
      '2^53 + 1',
      '-0 in a file that has to be canonical',
      '1.0 in a file that has to be canonical',
    ],
    'a proof for another origin or key type': [
      'the proof of another log',
      'a checkpoint that only a key of another type signed',
    ],
  }

  test('is in the table of cases, and none of them is good', async () => {
    const verdicts = new Map((await auditCases()).map(({ name, verdict }) => [name, verdict]))
    for (const [attack, names] of Object.entries(ATTACKS)) {
      for (const name of names) expect(verdicts.get(name), `${attack}: ${name}`).toMatch(/^(bad|undecided)$/)
    }
  })
})

describe('a verdict', () => {
  const check = (status: Parameters<typeof verdictOf>[0][number]['status']) =>
    ({ name: 'text', status, detail: '' }) as const

  test('is the gravest of its checks, and nothing is decided by none', () => {
    expect(verdictOf([check('passed'), check('skipped')])).toBe('good')
    expect(verdictOf([check('passed'), check('unwitnessed')])).toBe('unwitnessed')
    expect(verdictOf([check('unwitnessed'), check('undecided')])).toBe('undecided')
    expect(verdictOf([check('undecided'), check('failed')])).toBe('bad')
    expect(verdictOf([check('skipped')])).toBe('undecided')
    expect(worstOf([])).toBe('undecided')
  })

  test('rests on checks that are explained, each in a sentence', () => {
    for (const meaning of Object.values(CHECK_MEANINGS)) expect(meaning).toMatch(/^[A-Z].+\.$/)
  })
})

describe('a file', () => {
  const header = '{"type":"audit-package"}'

  test('is a package by its first line, in whatever pieces it comes', async () => {
    const whole = bytes(`${header}\nfirst\n{}`)
    for (const size of [1, 7, 24, 25, 26, 100]) {
      const parts = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.slice(at * size, (at + 1) * size),
      )
      const read = await readDocument(pieces(...parts))
      if (read.kind !== 'package') throw new Error(read.kind)
      const lines: string[] = []
      for await (const line of read.lines) lines.push(typeof line === 'string' ? line : new TextDecoder().decode(line))
      expect(lines).toEqual(['first', '{}'])
    }
    expect(await readDocument(pieces(bytes(header)))).toMatchObject({ kind: 'package' })
    const cut = await readDocument(pieces(bytes(`${header}\n{}\n{"seq":`)))
    const last: unknown[] = []
    if (cut.kind === 'package') for await (const line of cut.lines) last.push(line)
    expect(last.at(-1)).toBe('cut')
    expect(await readDocument(pieces())).toEqual({ kind: 'text', bytes: new Uint8Array(0) })
  })

  test('is read no further than it can be a receipt, and a line no further than it can be one', async () => {
    let given = 0
    async function* endless(start: string) {
      yield bytes(start)
      for (; given < 100; given += 1) yield new Uint8Array(documentBytesMax / 4).fill(0x20)
    }
    expect(await readDocument(endless('{'))).toEqual({ kind: 'too-long' })
    expect(given).toBeLessThan(10)
    given = 0
    const read = await readDocument(endless(`${header}\n`))
    if (read.kind !== 'package') throw new Error(read.kind)
    for await (const line of read.lines) expect(line).toBe('too-long')
    expect(given).toBeLessThan(10)
  })
})

describe('what an auditor has seen', () => {
  const chain = chainOf(3) as readonly [JsonObject, JsonObject, JsonObject]
  const see = (history: ReturnType<typeof createHistory>, receipt: JsonObject) =>
    history.receipt(readFacts(receipt), entryOf(receipt))?.detail ?? null

  test('contradicts a second receipt of a number, and a link to another one, from either side', () => {
    const rewritten = receiptAfter(chain[0], { model: 'gpt-4o' })
    const history = createHistory()
    expect([chain[0], chain[1], chain[1], chain[2]].map((receipt) => see(history, receipt))).toEqual([
      null,
      null,
      null,
      null,
    ])
    expect(see(history, rewritten)).toContain('two different receipts with number 2')
    const fromBehind = createHistory()
    expect([see(fromBehind, chain[2]), see(fromBehind, rewritten)]).toEqual([
      null,
      expect.stringContaining('Number 3 names another number 2'),
    ])
    const fromBefore = createHistory()
    expect([see(fromBefore, rewritten), see(fromBefore, chain[2])]).toEqual([
      null,
      expect.stringContaining('Number 3 names another number 2'),
    ])
  })

  test('keeps projects, issuers and logs apart', () => {
    const history = createHistory()
    expect(
      [chain[1], receiptAfter(chain[0], { project: 'other' }), receiptAfter(chain[0], { issuer: 'other' })].map(
        (receipt) => see(history, receipt),
      ),
    ).toEqual([null, null, null])
    const root = new Uint8Array(32)
    expect(history.checkpoint({ origin: 'a', size: 1, root })).toBeNull()
    expect(history.checkpoint({ origin: 'b', size: 1, root: new Uint8Array(32).fill(1) })).toBeNull()
    expect(history.checkpoint({ origin: 'a', size: 1, root: new Uint8Array(32).fill(1) })).toMatchObject({
      name: 'history',
      status: 'failed',
    })
  })
})

describe('a chain', () => {
  const chain = chainOf(3) as readonly [JsonObject, JsonObject, JsonObject]
  const follow = (receipts: readonly JsonObject[]) => {
    const next = createChain()
    return receipts.map(
      (receipt, index) =>
        next({ seq: Number(receipt['seq']), entry: entryOf(receipt), index, facts: readFacts(receipt) }).status,
    )
  }

  test('begins without a receipt before it, and goes on with the one before', () => {
    expect(follow(chain)).toEqual(['passed', 'passed', 'passed'])
    expect(follow([receiptAfter(null, { prev: 'sha256:00' })])).toEqual(['failed'])
    expect(follow([receiptAfter(chain[0], { prev: null })])).toEqual(['failed'])
    expect(follow([chain[0], receiptAfter(chain[0], { issued_at: '2026-03-01T11:00:00Z' })])).toEqual([
      'passed',
      'failed',
    ])
  })

  test('takes receipts from before they were counted, in front of those that are, and not behind them', () => {
    const old = (id: string): JsonObject => {
      const { seq: _seq, prev: _prev, ...rest } = receiptAfter(null, { id })
      return rest
    }
    const next = createChain()
    const take = (receipt: JsonObject, seq: number) =>
      next({ seq, entry: entryOf(receipt), index: seq, facts: readFacts(receipt) }).status
    const counted = receiptAfter(null, { seq: 3, prev: nameOf(entryOf(old('b'))) })
    expect([take(old('a'), 1), take(old('b'), 2), take(counted, 3), take(old('c'), 4)]).toEqual([
      'skipped',
      'skipped',
      'passed',
      'failed',
    ])
  })
})

describe('a member of a batch receipt', () => {
  const members = [1, 2, 3].map((at) => ({ log_id: `call-${at}`, cost: '0.000000000001' }))
  const leaves = members.map((member) => hashMember(sha256, member) ?? new Uint8Array(0))

  test('is proven beside the receipt, and refused if it is another', async () => {
    const { edge, tiles } = appendLeaves(sha256, emptyTree, leaves)
    const root = formatMembersRoot(rootOfEdge(sha256, edge))
    const made = await makeInclusionProof({ sha256, readTiles: async () => [tiles[0]?.hashes ?? null] }, 1, 3)
    if (!made.ok) throw new Error(made.reason)
    const proof = made.proof.map((hash) => Buffer.from(hash).toString('base64'))
    const receipt = receiptAfter(null, { usage: { members_root: root, count: 3 } })
    const claim = { member: members[1], index: 1, count: 3, proof, members_root: root }
    const log = new AuditLog([receipt])
    const pins = await readPins(deps, { keys: bytes(keysText()), policy: bytes(policyText()), checkpoints: [] })
    if (!pins.ok) throw new Error(pins.detail)
    const judge = async (member: unknown) =>
      judgeDocument(
        deps,
        { ...pins, project: null, anyTime: false, strict: false, trustEmbedded: false, history: createHistory() },
        {
          document: pieces(jsonBytes({ receipt, log_proof: toLogProofJson(await log.proof(receipt)) })),
          proof: null,
          member: jsonBytes(member),
        },
      )
    const good = await judge(claim)
    expect(good.verdict).toBe('good')
    expect(good.receipts[0]?.checks.at(-1)).toEqual({
      name: 'members',
      status: 'passed',
      detail: 'It commits to call "call-2".',
    })
    expect(await judge({ ...claim, member: members[2] })).toMatchObject({ verdict: 'bad' })
    expect(await judge('nothing')).toMatchObject({ verdict: 'bad' })
  })
})

describe('the built-in vectors', () => {
  test('hold here, and do not hold with a verifier that says yes, or no, to everything', async () => {
    const ok = async (verifyEd25519: typeof deps.verifyEd25519) =>
      (await runSelfTest({ sha256, verifyEd25519 })).every((result) => result.ok)
    expect(await ok(deps.verifyEd25519)).toBe(true)
    expect(await ok(() => true)).toBe(false)
    expect(await ok(() => false)).toBe(false)
    const results = await runSelfTest({ ...deps, sha256: () => new Uint8Array(32) })
    expect(results.filter(({ ok: isGood }) => !isGood).map(({ name }) => name)).toEqual(['the worked log, its keys'])
  })
})
