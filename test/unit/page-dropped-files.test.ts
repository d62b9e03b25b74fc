import { describe, expect, test } from 'vitest'
import { type FileRole, roleOf } from '../../src/page/dropped-files.js'
import { AuditLog, chainOf, keysText, policyText } from '../support/audit-world.js'
import { statementCases } from '../support/statement-cases.js'

const chain = chainOf(1)
const [receipt = {}] = chain
const log = new AuditLog(chain)
const proof = await log.proofBytes(receipt)
const statements = (await statementCases()).find(({ verdict }) => verdict === 'good')?.statements ?? ''
const [header = {}, line = {}] = await log.packageLines(chain)

const roleOfText = (content: string | Uint8Array): Promise<FileRole> =>
  roleOf(new File([typeof content === 'string' ? content : Uint8Array.from(content)], 'any'))

describe('a file that is dropped on the page is taken for', () => {
  const CASES: readonly (readonly [FileRole, string, string | Uint8Array])[] = [
    ['document', 'a receipt', JSON.stringify(receipt)],
    ['document', 'a receipt in many lines', JSON.stringify(receipt, null, 2)],
    ['document', 'a receipt with its proof', JSON.stringify({ receipt, log_proof: {} })],
    ['document', 'a package', `${JSON.stringify(header)}\n${JSON.stringify(line)}\n`],
    ['document', 'the first line of a package', JSON.stringify(header)],
    ['document', 'nothing', ''],
    ['document', 'no JSON', '{'],
    ['document', 'a name that occurs twice', '{"keys":[],"keys":[]}'],
    ['document', 'a file that is too long for anything else', ' '.repeat(1_048_577)],
    ['proof', 'a log proof', proof],
    ['proof', 'a log proof in JSON', '{"index":1,"proof":[],"checkpoint":""}'],
    ['proof', 'a log proof beside its receipt', '{"log_proof":{}}'],
    ['keys', 'the document of keys', keysText()],
    ['keys', 'a single JWK', '{"kty":"OKP","crv":"Ed25519","x":"","kid":"k"}'],
    ['policy', 'a policy', policyText()],
    ['policy', 'a policy that begins with words of its own', `# ours\n\n# since March\n${policyText()}`],
    ['statements', 'statements of keys', statements],
    ['statements', 'one statement of a key', '{"type":"key-statement/v1"}'],
    ['document', 'a package, whose statements are its own', `${JSON.stringify(header)}\n{"type":"key-statement/v1"}\n`],
    ['checkpoints', 'a checkpoint', log.noteBytes()],
    ['member', 'the proof of a member', '{"member":{},"index":0,"count":1,"proof":[],"members_root":""}'],
  ]
  test.each(CASES)('%s: %s', async (role, _, content) => {
    expect(await roleOfText(content)).toBe(role)
  })
})
