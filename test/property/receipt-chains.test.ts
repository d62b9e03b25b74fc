import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { signReceipt } from '../../src/core/proof/index.js'
import { faultsInChains } from '../support/chain-faults.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { keyOfByte, newProject, type ReceiptsInstance, START, startReceipts } from '../support/feature-app.js'
import { CLAIMS, signerOfByte } from '../unit/proof-fixtures.js'

const PROJECTS = 3
let database: TestDatabase
let instances: ReceiptsInstance[]
beforeAll(async () => {
  database = await cloneDatabase()
  instances = [await startReceipts(database.url, keyOfByte(1)), await startReceipts(database.url, keyOfByte(1))]
})
afterAll(async () => {
  for (const instance of instances) await instance.close()
  await database.drop()
})

/** A request: whose, to which instance, under an id that few others have, or under none. */
const request = fc.record({
  project: fc.nat(PROJECTS - 1),
  instance: fc.nat(1),
  kind: fc.constantFrom('issue', 'issue', 'issue', 'store', 'erase'),
  id: fc.option(fc.nat(30), { nil: null }),
  alias: fc.constantFrom('one', 'two'),
  /** Where its instance's clock stands, in milliseconds: it may be set back. */
  clock: fc.integer({ min: -5_000, max: 5_000 }),
})
type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never

async function send(projects: readonly ProjectId[], { project, instance, kind, id, alias, clock }: Request) {
  const on = instances[instance] as ReceiptsInstance
  const owner = projects[project] as ProjectId
  on.now = START + clock
  const name = id === null ? undefined : `r-${id}`
  if (kind === 'issue') return on.issue({ ...CLAIMS, alias, ...(name === undefined ? {} : { id: name }) }, owner)
  if (kind === 'erase') {
    return on.call(`/api/v1/receipts/${name ?? 'none'}`, { method: 'DELETE', project: owner, role: 'admin' })
  }
  const keyId = on.receipts.keyState.keyId
  const foreign = signReceipt(signerOfByte(1), { ...CLAIMS, alias, id: `foreign-${id}-${owner}`, key_id: keyId })
  if (!foreign.ok) throw new Error(foreign.reason)
  return on.store(foreign.receipt, owner)
}

it('whatever is issued, stored and erased at once on two instances: no gap, no fork, all in the log once, and every answer is kept', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 20, maxLength: 120 }), async (requests) => {
      const projects = Array.from({ length: PROJECTS }, newProject)
      const answers = await Promise.all(requests.map((one) => send(projects, one)))
      const unexpected = answers.filter(({ status }) => ![200, 404, 409].includes(status))
      expect(unexpected.map(({ text }) => text)).toEqual([])
      expect(await faultsInChains(instances[0]?.database.sql as ReceiptsInstance['database']['sql'])).toEqual([])
      const erases = requests.some(({ kind }) => kind === 'erase')
      if (erases) return
      for (const [at, { kind, project }] of requests.entries()) {
        const { status, text, json } = answers[at] as (typeof answers)[number]
        if (kind !== 'issue' || status !== 200) continue
        const { id } = json as { id: string }
        const shown = await instances[0]?.call(`/api/v1/receipts/${id}`, { project: projects[project] as ProjectId })
        expect(shown?.text).toBe(text)
      }
    }),
    { numRuns: Number(process.env['CHAIN_PROPERTY_RUNS'] ?? 6) },
  )
})
