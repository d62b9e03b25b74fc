import { describe, expect, it } from 'vitest'
import { formatMembersRoot, hashMember, type UsageMember, verifyMembership } from '../../src/core/proof/index.js'
import { encodeBase64, hashLeaf } from '../../src/core/tlog/index.js'
import { NaiveTree, sha256 } from './tlog-trees.js'

const memberOf = (at: number): UsageMember => ({
  log_id: `019a3c5e-7d10-7a52-8f43-${String(at).padStart(12, '0')}`,
  timestamp: '2026-03-01T12:00:00.000Z',
  ...{ provider: 'openai', model: 'gpt-4o-mini', alias: null, profile: 'default' },
  ...{ tokens: { output: 300, input: 1_200 }, cost: '0.000360000000', cost_status: 'priced' },
})
const leafOf = (member: unknown) => hashMember(sha256, member) ?? new Uint8Array()

/** A receipt over so many members, and the proof of one. */
function batchOf(count: number, index: number) {
  const tree = new NaiveTree(Array.from({ length: count }, (_, at) => leafOf(memberOf(at))))
  const commitment = { members_root: formatMembersRoot(tree.root(0, count)), count }
  const proof = tree.path(index, count).map(encodeBase64)
  return {
    receipt: { id: 'r', usage: commitment, signature: '' },
    document: { member: memberOf(index), index, proof, ...commitment },
  }
}

describe('the leaf of a member', () => {
  it('is the RFC 6962 hash of its RFC 8785 bytes, whatever the order of its members was', () => {
    const { tokens, ...rest } = memberOf(1)
    const text =
      '{"alias":null,"cost":"0.000360000000","cost_status":"priced","log_id":"019a3c5e-7d10-7a52-8f43-000000000001",' +
      '"model":"gpt-4o-mini","profile":"default","provider":"openai","timestamp":"2026-03-01T12:00:00.000Z",' +
      '"tokens":{"input":1200,"output":300}}'
    expect(leafOf({ tokens, ...rest })).toEqual(hashLeaf(sha256, new TextEncoder().encode(text)))
    expect(leafOf(memberOf(1))).toEqual(leafOf({ tokens, ...rest }))
  })
})

describe('a membership proof', () => {
  it('shows every member of receipts of 1 to 9 members', () => {
    for (let count = 1; count <= 9; count += 1) {
      for (let index = 0; index < count; index += 1) {
        const { receipt, document } = batchOf(count, index)
        expect(verifyMembership(sha256, receipt, document)).toEqual({ ok: true, member: memberOf(index), index })
      }
    }
  })

  const { receipt, document } = batchOf(7, 3)
  const other = batchOf(6, 3)
  it.each([
    ['another cost', { member: { ...memberOf(3), cost: '0.000350000000' } }, 'not-a-member'],
    ['one count less', { member: { ...memberOf(3), tokens: { input: 1_200, output: 299 } } }, 'not-a-member'],
    ['another place', { index: 4 }, 'not-a-member'],
    ['a place behind the end', { index: 7 }, 'not-a-member'],
    ['a shorter proof', { proof: document.proof.slice(1) }, 'not-a-member'],
    ['a longer proof', { proof: [...document.proof, document.proof[0]] }, 'not-a-member'],
    ['the count of another tree', { count: 8 }, 'another-receipt'],
    ['the root of another receipt', { members_root: other.document.members_root }, 'another-receipt'],
    ['a root in capitals', { members_root: document.members_root.toUpperCase() }, 'not-a-membership-proof'],
    ['a hash of 31 bytes', { proof: [encodeBase64(new Uint8Array(31))] }, 'not-a-member'],
    ['a hash that is no base64', { proof: ['?'] }, 'not-a-membership-proof'],
    ['too many hashes', { proof: Array.from({ length: 54 }, () => document.proof[0]) }, 'not-a-membership-proof'],
    ['a place that is no number', { index: '3' }, 'not-a-membership-proof'],
    ['a member with half a surrogate pair', { member: { alias: '\ud800' } }, 'not-canonical'],
    ['no member', { member: null }, 'not-a-membership-proof'],
  ])('with %s shows nothing', (_name, change, reason) => {
    expect(verifyMembership(sha256, receipt, { ...document, ...change })).toEqual({ ok: false, reason })
  })

  it.each([
    null,
    'r',
    {},
    { usage: null },
    { usage: { log_ids: [] } },
    { usage: { members_root: 'sha256:', count: 1 } },
  ])('shows nothing of a receipt that commits to none: %j', (single) => {
    expect(verifyMembership(sha256, single, document)).toEqual({ ok: false, reason: 'not-a-batch-receipt' })
  })
})
