import { describe, expect, test } from 'vitest'
import { createHistory, type DocumentJudgement, judgeDocument, readPins } from '../../src/core/proof/index.js'
import { type AuditCase, auditCases } from '../support/audit-cases.js'
import { AUDIT_WORDS } from '../support/audit-words.js'
import { bytes, keysText, policyText } from '../support/audit-world.js'
import { END_WORDS, endCases } from '../support/end-cases.js'
import { STATEMENT_WORDS, statementCases } from '../support/statement-cases.js'
import { nodeVerifier, portableVerifier } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

const cases = [...(await auditCases()), ...(await endCases()), ...(await statementCases())]

async function* inPieces(file: Uint8Array, pieceBytes: number) {
  for (let at = 0; at < file.length; at += pieceBytes) yield file.subarray(at, at + pieceBytes)
}

async function judge(one: AuditCase, verifier = nodeVerifier(), pieceBytes = 65_536): Promise<DocumentJudgement> {
  const deps = { ...verifier, sha256 }
  const pin = (text: string | null) => (text === null ? null : bytes(text))
  const { keys = keysText(), policy = policyText(), checkpoints = [], statements = null } = one
  const pins = await readPins(deps, { keys: pin(keys), policy: pin(policy), checkpoints, statements })
  if (!pins.ok) throw new Error(`${pins.what}: ${pins.detail}`)
  const { strict = false, anyTime = false, trustEmbedded = false, project = null, proof = null } = one
  const history = createHistory()
  const options = { ...pins, project, anyTime, strict, trustEmbedded, history }
  return judgeDocument(deps, options, { document: inPieces(one.document, pieceBytes), proof, member: null })
}

/** What is said of the checks that came out otherwise than well. */
const wordsOf = ({ checks, receipts }: DocumentJudgement): readonly string[] => {
  const all = [...checks, ...receipts.flatMap((receipt) => receipt.checks)]
  const told = all.filter(({ status }) => status !== 'passed' && status !== 'skipped')
  return [...new Set(told.map(({ name, status, detail }) => `${name} ${status}: ${detail}`))]
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

test('every case that is not good is explained in plain words', async () => {
  const said: Record<string, readonly string[]> = {}
  for (const one of cases) {
    const words = wordsOf(await judge(one))
    if (words.length > 0) said[one.name] = words
  }
  expect(said).toEqual({ ...AUDIT_WORDS, ...END_WORDS, ...STATEMENT_WORDS })
})

test('the words are the same by the portable verifier, and however a file arrives', async () => {
  for (const one of cases.filter((_, at) => at % 6 === 0)) {
    expect(await judge(one, portableVerifier(), 7_919), one.name).toEqual(await judge(one))
  }
})
