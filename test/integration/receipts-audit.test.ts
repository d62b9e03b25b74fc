import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { canonicalJson } from '../../src/core/json/index.js'
import { parseAuditLine, readAuditHeader, readKeyDocument } from '../../src/core/proof/index.js'
import { fromLogProofJson, parseLogProof, parsePolicy, verifyLogProof } from '../../src/core/tlog/index.js'
import { faultsInChains } from '../support/chain-faults.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { keyOfByte, newProject, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { createNaiveLog, LOG_ORIGIN, type NaiveLog } from '../support/naive-log.js'
import { CLAIMS, nodeVerifier } from '../unit/proof-fixtures.js'
import { sha256 } from '../unit/tlog-trees.js'

let database: TestDatabase
let naive: NaiveLog
let one: ReceiptsInstance
beforeAll(async () => {
  database = await cloneDatabase()
  naive = createNaiveLog()
  one = await startReceipts(database.url, keyOfByte(1), undefined, undefined, naive.log)
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

const publish = () => naive.publish(one.database.sql)
const entryOf = (text: string) => createHash('sha256').update(text).digest()
const ask = (path: string, project: ProjectId, headers: Record<string, string> = {}) =>
  one.call(`/api/v1/receipts/${path}`, { project, headers })
const erase = (id: string, project: ProjectId) =>
  one.call(`/api/v1/receipts/${id}`, { method: 'DELETE', project, role: 'admin' })

/** Whether a proof, in either form, shows that these bytes are in the log that the policy names. */
async function holds(text: string, proof: { readonly file: Uint8Array } | { readonly json: unknown }) {
  const policy = parsePolicy(sha256, Buffer.from(naive.policy))
  const read = 'file' in proof ? parseLogProof(proof.file) : fromLogProofJson(proof.json)
  if (!policy.ok || !read.ok) throw new Error('neither policy nor proof')
  const verdict = await verifyLogProof({ sha256, ...nodeVerifier() }, policy.policy, entryOf(text), read.logProof)
  return verdict.ok
}

describe('the proof of a receipt', () => {
  it('is told to be on its way until a checkpoint covers it, and then holds for these bytes alone', async () => {
    const project = newProject()
    const { text } = await one.issue({ ...CLAIMS, id: 'a' }, project)
    await one.issue({ ...CLAIMS, id: 'b' }, project)
    const early = await ask('a/proof', project)
    expect([early.status, early.json]).toMatchObject([409, { code: 'not-logged-yet' }])
    expect(early.headers.get('retry-after')).toBe('1')
    await publish()
    const file = await ask('a/proof', project)
    expect([file.status, file.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(await holds(text, { file: Buffer.from(file.text) })).toBe(true)
    expect(await holds(`${text} `, { file: Buffer.from(file.text) })).toBe(false)
    const json = await ask('a/proof', project, { Accept: 'application/json' })
    expect(json.headers.get('content-type')).toBe('application/json')
    expect(await holds(text, { json: json.json })).toBe(true)
  })

  it.each([
    ['text/plain', 'text/plain; charset=utf-8'],
    ['*/*', 'text/plain; charset=utf-8'],
    ['application/json, text/plain', 'text/plain; charset=utf-8'],
    ['text/html, Application/JSON;q=0.9', 'application/json'],
  ])('for whoever accepts %s is %s', async (accept, type) => {
    const project = newProject()
    await one.issue({ ...CLAIMS, id: 'a' }, project)
    await publish()
    expect((await ask('a/proof', project, { Accept: accept })).headers.get('content-type')).toBe(type)
  })

  it('is missing where the receipt is missing, another project’s or erased', async () => {
    const [project, stranger] = [newProject(), newProject()]
    await one.issue({ ...CLAIMS, id: 'a' }, project)
    await publish()
    expect((await ask('b/proof', project)).status).toBe(404)
    expect((await ask('a/proof', stranger)).status).toBe(404)
    await erase('a', project)
    expect((await ask('a/proof', project)).status).toBe(404)
  })

  it('covers a stored receipt as well', async () => {
    const [project, other] = [newProject(), newProject()]
    const foreign = await startReceipts(database.url, keyOfByte(1), 'elsewhere.example/log', undefined, naive.log)
    const { json, text } = await foreign.issue({ ...CLAIMS, id: 'a' }, project)
    expect((await one.store(json, other)).status).toBe(200)
    await publish()
    expect(await holds(text, { file: Buffer.from((await ask('a/proof', other)).text) })).toBe(true)
    await foreign.close()
  })
})

describe('whoever waits for the log', () => {
  const issue = (project: ProjectId, query: string, headers: Record<string, string> = {}) =>
    one.call(`/api/v1/receipts/issue${query}`, { json: CLAIMS, project, headers })
  const whenWaiting = (count: number) => eventually(async () => expect(naive.waiting()).toBe(count))

  it.each([
    ['?wait=logged', {}, 'wait=60'],
    ['', { Prefer: 'wait=30' }, 'wait=30'],
  ])('with %s %o is answered with the receipt once it is covered', async (query, headers, applied) => {
    const project = newProject()
    const asked = issue(project, query, headers)
    await whenWaiting(1)
    await publish()
    const answer = await asked
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, applied])
    const { id } = answer.json as { id: string }
    expect((await ask(id, project)).text).toBe(answer.text)
    expect((await ask(`${id}/proof`, project)).status).toBe(200)
  })

  it('gets the proof beside the receipt if it asks for it, and null while there is none', async () => {
    const project = newProject()
    const early = await issue(project, '?include=proof')
    expect(early.json).toMatchObject({ receipt: { seq: 1, project }, log_proof: null })
    expect(early.headers.get('preference-applied')).toBeNull()
    const asked = issue(project, '?wait=logged&include=proof')
    await whenWaiting(1)
    await publish()
    const { receipt, log_proof: proof } = (await asked).json as { receipt: { id: string }; log_proof: unknown }
    expect(await holds((await ask(receipt.id, project)).text, { json: proof })).toBe(true)
  })

  it('with a receipt to store hears of it, too', async () => {
    const project = newProject()
    const { json } = await one.issue({ ...CLAIMS, id: 'a' }, project)
    await erase('a', project)
    const asked = one.call('/api/v1/receipts/?wait=logged&include=proof', { json: { receipt: json }, project })
    await publish()
    const answer = await asked
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, 'wait=60'])
    const { log_proof: proof } = answer.json as { log_proof: unknown }
    expect(await holds((await ask('a', project)).text, { json: proof })).toBe(true)
  })

  it('is refused a wish that there is not', async () => {
    for (const query of ['?wait=5', '?include=all']) expect((await issue(newProject(), query)).status).toBe(422)
  })

  it('and asked before is answered again with the same receipt, and waits for that', async () => {
    const project = newProject()
    const first = await one.issue({ ...CLAIMS, id: 'again' }, project)
    const again = { json: { ...CLAIMS, id: 'again' }, project, headers: { Prefer: 'wait=9' } }
    const asked = one.call('/api/v1/receipts/issue', again)
    await whenWaiting(1)
    await publish()
    expect((await asked).text).toBe(first.text)
  })
})

describe('an erased receipt', () => {
  it('is gone, its entry and its place stay, and the next one leads to it', async () => {
    const project = newProject()
    const [, second] = [
      await one.issue({ ...CLAIMS, id: 'a' }, project),
      await one.issue({ ...CLAIMS, id: 'b' }, project),
    ]
    const before = await erase('b', project)
    const entry = `sha256:${entryOf(second.text).toString('hex')}`
    expect([before.status, before.json]).toEqual([200, { receipt_id: 'b', deleted: true, entry }])
    expect((await ask('b', project)).status).toBe(404)
    expect((await ask('', project)).json).toMatchObject({ total: 1 })
    expect((await erase('b', project)).status).toBe(404)
    const third = await one.issue({ ...CLAIMS, id: 'b' }, project)
    expect(third.json).toMatchObject({ seq: 3, prev: entry })
    expect((await faultsInChains(one.database.sql)).filter((fault) => fault.includes(project))).toEqual([])
  })

  it('is erased by an admin of its own project alone', async () => {
    const [project, stranger] = [newProject(), newProject()]
    await one.issue({ ...CLAIMS, id: 'a' }, project)
    const asWriter = await one.call('/api/v1/receipts/a', { method: 'DELETE', project })
    expect(asWriter.status).toBe(403)
    expect((await erase('a', stranger)).status).toBe(404)
    expect((await ask('a', project)).status).toBe(200)
  })

  it('is exported with its project as what stays, and goes with it', async () => {
    const project = newProject()
    for (const id of ['a', 'b', 'c']) {
      await one.issue({ ...CLAIMS, id }, project)
      await erase(id, project)
    }
    const pages: string[] = []
    const exportPage = one.receipts.export.receipt_erasure
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<typeof exportPage>> = await exportPage(project, after, 2)
      pages.push(...page.rows)
      after = page.next
    } while (after !== null)
    const seqs = pages.map((row) => (JSON.parse(row) as { seq: number }).seq)
    expect(seqs.toSorted()).toEqual([1, 2, 3])
    let rows = 0
    for (let gone = 1; gone > 0; rows += gone) gone = await one.receipts.erase(project, 2)
    // Three that stayed, and the row of the chain.
    expect(rows).toBe(4)
  })
})

describe('an audit package', () => {
  const linesOf = (text: string) => text.trimEnd().split('\n')
  const read = (text: string) => {
    const [head = '', ...rest] = linesOf(text)
    const header = readAuditHeader(JSON.parse(head))
    if (!header.ok) throw new Error(header.detail)
    const parsed = rest.map((line) => {
      const one = parseAuditLine(Buffer.from(line))
      if (!one.ok) throw new Error(one.detail)
      return one
    })
    const lines = parsed.flatMap((one) => ('line' in one ? [one.line] : []))
    // The last line counts the others, and is the only one that does.
    expect(parsed.flatMap((one) => ('end' in one ? [one.end] : []))).toEqual([
      { count: lines.length, lastSeq: lines.at(-1)?.seq ?? null },
    ])
    expect(parsed.at(-1)).toHaveProperty('end')
    return { header: header.header, lines }
  }

  it('holds every place of the chain, all proofs against one checkpoint, and whom to trust', async () => {
    const project = newProject()
    const texts: string[] = []
    for (const id of ['a', 'b', 'c']) texts.push((await one.issue({ ...CLAIMS, id }, project)).text)
    await erase('b', project)
    await publish()
    const late = await one.issue({ ...CLAIMS, id: 'd' }, project)
    const answer = await ask('export', project)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    const { header, lines } = read(answer.text)
    expect([header.origin, header.policy]).toEqual([LOG_ORIGIN, naive.policy])
    expect(readKeyDocument(header.keys).ok).toBe(true)
    expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    for (const [at, { receipt, entry, place }] of lines.slice(0, 3).entries()) {
      const text = texts[at] as string
      if (at === 1) expect([receipt, Buffer.from(entry ?? [])]).toEqual([null, entryOf(text)])
      else expect(canonicalJson(receipt)).toMatchObject({ text })
      const json = {
        index: place?.index,
        proof: place?.proof.map((hash) => Buffer.from(hash).toString('base64')),
        checkpoint: (JSON.parse(linesOf(answer.text)[0] as string) as { checkpoint: string }).checkpoint,
      }
      expect(await holds(text, { json })).toBe(true)
    }
    expect(lines[3]?.place).toBeNull()
    expect(canonicalJson(lines[3]?.receipt)).toMatchObject({ text: late.text })
  })

  it('begins where it is asked to, and ends after so many', async () => {
    const project = newProject()
    for (let count = 0; count < 6; count += 1) await one.issue(CLAIMS, project)
    await publish()
    const seqs = async (query: string) => read((await ask(`export${query}`, project)).text).lines.map(({ seq }) => seq)
    expect(await seqs('')).toEqual([1, 2, 3, 4, 5, 6])
    expect(await seqs('?from_seq=5')).toEqual([5, 6])
    expect(await seqs('?from_seq=2&limit=3')).toEqual([2, 3, 4])
    expect(await seqs('?from_seq=7')).toEqual([])
    for (const query of ['?from_seq=0', '?limit=0', '?from_seq=x', '?limit=9007199254740992']) {
      expect((await ask(`export${query}`, project)).status).toBe(422)
    }
  })

  it('of many and large receipts is whole, though it is read page by page', async () => {
    const project = newProject()
    const calculation = 'x'.repeat(4_000)
    const claims = { ...CLAIMS, cost: { ...CLAIMS.cost, calculation } }
    await Promise.all(Array.from({ length: 300 }, () => one.issue(claims, project)))
    await publish()
    const { lines } = read((await ask('export', project)).text)
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, at) => at + 1))
    expect(lines.filter(({ place }) => place === null)).toEqual([])
  })

  it('of a stranger holds nothing, and before the first checkpoint there is none', async () => {
    await publish()
    expect(read((await ask('export', newProject())).text).lines).toEqual([])
    const young = await startReceipts(database.url, keyOfByte(1), undefined, undefined, createNaiveLog().log)
    const answer = await young.call('/api/v1/receipts/export', { project: newProject() })
    expect([answer.status, answer.json]).toMatchObject([409, { code: 'not-logged-yet' }])
    await young.close()
  })
})
