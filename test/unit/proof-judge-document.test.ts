import { describe, expect, test } from 'vitest'
import { createHistory, type DocumentJudgement, judgeDocument, readPins } from '../../src/core/proof/index.js'
import { type AuditCase, auditCases } from '../support/audit-cases.js'
import { bytes, keysText, policyText } from '../support/audit-world.js'
import { nodeVerifier, portableVerifier } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

const cases = await auditCases()

async function* inPieces(file: Uint8Array, pieceBytes: number) {
  for (let at = 0; at < file.length; at += pieceBytes) yield file.subarray(at, at + pieceBytes)
}

async function judge(one: AuditCase, verifier = nodeVerifier(), pieceBytes = 65_536): Promise<DocumentJudgement> {
  const deps = { ...verifier, sha256 }
  const pin = (text: string | null) => (text === null ? null : bytes(text))
  const { keys = keysText(), policy = policyText(), checkpoints = [] } = one
  const pins = await readPins(deps, { keys: pin(keys), policy: pin(policy), checkpoints })
  if (!pins.ok) throw new Error(`${pins.what}: ${pins.detail}`)
  const { strict = false, anyTime = false, trustEmbedded = false, project = null, proof = null } = one
  const history = createHistory()
  const options = { ...pins, project, anyTime, strict, trustEmbedded, history }
  return judgeDocument(deps, options, { document: inPieces(one.document, pieceBytes), proof, member: null })
}

const faultsOf = ({ checks, receipts }: DocumentJudgement): readonly string[] => {
  const all = [...checks, ...receipts.flatMap((receipt) => receipt.checks)]
  return [...new Set(all.filter(({ status }) => status !== 'passed' && status !== 'skipped').map(({ name }) => name))]
}

describe('what is said of', () => {
  test.each(cases)('$name', async (one) => {
    const judged = await judge(one)
    expect({ verdict: judged.verdict, by: [...faultsOf(judged)].sort() }, JSON.stringify(judged, null, 1)).toEqual({
      verdict: one.verdict,
      by: [...one.by].sort(),
    })
  })
})

test('the words are the same by the portable verifier, and however a file arrives', async () => {
  for (const one of cases.filter((_, at) => at % 6 === 0)) {
    expect(await judge(one, portableVerifier(), 7_919), one.name).toEqual(await judge(one))
  }
})
