import { formatSignature } from '../../src/core/ed25519/index.js'
import { canonicalJson } from '../../src/core/json/index.js'
import { buildKeyStatement } from '../../src/core/proof/index.js'
import { signerOfByte } from '../unit/proof-fixtures.js'
import type { AuditCase } from './audit-cases.js'
import { AuditLog, bytes, chainOf, jsonBytes, keysText, ORIGIN, START } from './audit-world.js'

const DAY_MS = 86_400_000
const OLD = 11

/** That a key is followed by another one, which is the one that signs the receipts here; signed by the key of a byte. */
function statement(by: number, at: number, names: readonly [string, string] = ['key-0', 'key-1'], next = 1): string {
  const [oldKeyId, newKeyId] = names
  const change = { issuer: ORIGIN, oldKeyId, newKeyId, newKey: signerOfByte(next).key, at: new Date(at) }
  const unsigned = buildKeyStatement(change)
  const canonical = canonicalJson(unsigned)
  if (!canonical.ok) throw new Error(canonical.reason)
  const signed = canonicalJson({ ...unsigned, signature: formatSignature(signerOfByte(by).sign(canonical.bytes)) })
  if (!signed.ok) throw new Error(signed.reason)
  return `${new TextDecoder().decode(signed.bytes)}\n`
}

/** An auditor who saved the keys before the one was made that signs now, and what the statements of keys add to that. */
export async function statementCases(): Promise<readonly AuditCase[]> {
  const [receipt = {}] = chainOf(1)
  const proof = await new AuditLog([receipt]).proofBytes(receipt)
  const given = { document: jsonBytes(receipt), proof, keys: keysText({}, OLD).replace('key-1', 'key-0') }
  const undecided = { verdict: 'undecided', by: ['key'] } as const
  const last = statement(1, START + DAY_MS, ['key-1', 'key-2'], 12)
  return [
    { name: 'an older key, without statements', ...given, ...undecided },
    {
      name: 'an older key, and the statement that leads to the one that signed',
      ...{ ...given, statements: bytes(statement(OLD, START - DAY_MS) + last), verdict: 'good', by: [] },
    },
    {
      name: 'an older key, and a statement of a stranger',
      ...{ ...given, statements: bytes(statement(13, START - DAY_MS)), ...undecided },
    },
    {
      name: 'an older key, and a statement that came after the receipt',
      ...{ ...given, statements: bytes(statement(OLD, START + DAY_MS)), verdict: 'bad', by: ['key-period'] },
    },
  ]
}

export const STATEMENT_WORDS: Readonly<Record<string, readonly string[]>> = {
  'an older key, without statements': ['key undecided: Key "key-1" is not known here.'],
  'an older key, and a statement of a stranger': ['key undecided: Key "key-1" is not known here.'],
  'an older key, and a statement that came after the receipt': [
    'key-period failed: It was issued before its key was in use (2026-03-02T12:00:00.000Z).',
  ],
}
