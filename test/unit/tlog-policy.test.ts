import { describe, expect, test } from 'vitest'
import {
  formatNoteKey,
  formatPolicy,
  isQuorumMet,
  makeNoteKey,
  type NoteKeyType,
  type Policy,
  parsePolicy,
  policyBytesMax,
} from '../../src/core/tlog/index.js'
import { signerOfByte } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

function keyText(byte: number, type: NoteKeyType = 'cosignature', name = `example.com/k${byte}`): string {
  return formatNoteKey(makeNoteKey(sha256, name, type, signerOfByte(byte).key))
}

const LOG = keyText(1, 'note')
const [X1, X2, X3, Y1, Y2] = [11, 12, 13, 21, 22].map((byte) => keyText(byte))
const WHOLE = `log ${LOG} https://log.example/
witness X1 ${X1} https://x1.example/
witness X2 ${X2}
witness X3 ${X3}
witness Y1 ${Y1}
witness Y2 ${Y2}
group X 2 X1 X2 X3
group Y any Y1 Y2
group both all X Y
quorum both
`

function read(text: string) {
  return parsePolicy(sha256, new TextEncoder().encode(text))
}

function policyOf(text: string): Policy {
  const parsed = read(text)
  if (!parsed.ok) throw new Error(`${parsed.reason} in line ${parsed.line}`)
  return parsed.policy
}

describe('a policy', () => {
  test('is read and written again, and spacing and comments change nothing', () => {
    const policy = policyOf(WHOLE)
    expect(formatPolicy(policy)).toBe(WHOLE)
    expect(policy.logs[0]?.url).toBe('https://log.example/')
    const spaced = `# whom I trust\n\n ${WHOLE.replaceAll(' ', ' \t ').replaceAll('\n', '  \n\t# é\n\n')}`
    expect(policyOf(spaced)).toEqual(policy)
    expect(formatPolicy(policyOf('quorum none\n'))).toBe('quorum none\n')
    expect(policyOf(WHOLE.replace('Y any', 'Y 1').replace('both all', 'both 2'))).toEqual(policy)
  })

  test('is met by the sets of witnesses that its groups say, among all 32', () => {
    const policy = policyOf(WHOLE)
    for (let set = 0; set < 32; set += 1) {
      const signed = policy.witnesses.filter((_, at) => Math.floor(set / 2 ** at) % 2 === 1)
      const counted = (letter: string) => signed.filter(({ name }) => name.startsWith(letter)).length
      const met = isQuorumMet(policy, new Set(signed.map(({ key }) => key)))
      expect(met).toBe(counted('X') >= 2 && counted('Y') >= 1)
    }
    expect(isQuorumMet(policyOf(WHOLE.replace('quorum both', 'quorum X1')), new Set())).toBe(false)
    expect(isQuorumMet(policyOf(WHOLE.replace('quorum both', 'quorum none')), new Set())).toBe(true)
  })

  const many = (count: number, line: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => line(at)).join('')
  const REFUSED: readonly (readonly [string, number, string])[] = [
    ['no-quorum', 0, `log ${LOG}\n`],
    ['no-final-line-feed', 0, 'quorum none'],
    ['no-final-line-feed', 0, ''],
    ['second-quorum', 2, 'quorum none\nquorum none\n'],
    ['unknown-quorum', 1, `quorum X1\nwitness X1 ${X1}\n`],
    ['wrong-number-of-words', 1, 'quorum\n'],
    ['wrong-number-of-words', 1, 'quorum none none\n'],
    ['unknown-keyword', 1, 'Quorum none\n'],
    ['unknown-keyword', 2, 'quorum none\nlogs x\n'],
    ['control-character', 0, 'quorum none\r\n'],
    ['wrong-number-of-words', 1, 'log\n'],
    ['wrong-number-of-words', 1, `log ${LOG} a b\n`],
    ['wrong-number-of-words', 1, 'witness X1\n'],
    ['bad-log-key', 1, `log ${X1}\n`],
    ['bad-log-key', 1, `log ${LOG}x\n`],
    ['bad-witness-key', 1, `witness X1 ${LOG}\n`],
    ['duplicate-log', 2, `log ${LOG}\nlog ${keyText(1, 'note', 'other.example')}\n`],
    ['duplicate-witness', 2, `witness X1 ${X1}\nwitness X2 ${keyText(11, 'cosignature', 'other.example')}\n`],
    ['duplicate-name', 2, `witness X1 ${X1}\nwitness X1 ${X2}\n`],
    ['duplicate-name', 2, `witness X1 ${X1}\ngroup X1 any X1\n`],
    ['reserved-name', 1, `witness none ${X1}\n`],
    ['reserved-name', 2, `witness X1 ${X1}\ngroup none any X1\n`],
    ['wrong-number-of-words', 2, `witness X1 ${X1}\ngroup g any\n`],
    ['unknown-member', 2, `witness X1 ${X1}\ngroup g any X2\n`],
    ['unknown-member', 2, `witness X1 ${X1}\ngroup g any g\n`],
    ['unknown-member', 2, `witness X1 ${X1}\ngroup g any none\n`],
    ['member-used-twice', 2, `witness X1 ${X1}\ngroup g 2 X1 X1\n`],
    ['member-used-twice', 3, `witness X1 ${X1}\ngroup g any X1\ngroup h all X1 g\n`],
    ...['0', '2', '01', '-1', '1.0', 'ANY', '1e0'].map(
      (threshold) => ['bad-threshold', 2, `witness X1 ${X1}\ngroup g ${threshold} X1\n`] as const,
    ),
    ['too-many-witnesses', 65, many(65, (at) => `witness w${at} ${keyText(at + 1)}\n`)],
    ['too-many-logs', 65, many(65, (at) => `log ${keyText(at + 1, 'note')}\n`)],
    [
      'too-many-groups',
      66,
      `witness w ${X1}\n${many(65, (at) => `group g${at} any ${at === 0 ? 'w' : `g${at - 1}`}\n`)}`,
    ],
    ['member-used-twice', 2, `witness w ${X1}\ngroup g 1${' w'.repeat(30_000)}\n`],
    ['too-large', 0, '#'.repeat(policyBytesMax + 1)],
  ]
  test.each(REFUSED.map(([reason, line, text]) => [reason, line, text.slice(-60), text] as const))(
    'is refused as %s in line %i: …%j',
    (reason, line, _, text) => {
      expect(read(text)).toEqual({ ok: false, reason, line })
    },
  )

  test('of 32 logs, witnesses and groups each is read', () => {
    const logs = many(32, (at) => `log ${keyText(at + 1, 'note')}\n`)
    const witnesses = many(32, (at) => `witness w${at} ${keyText(at + 40)}\n`)
    const groups = many(32, (at) => `group g${at} all w${at}${at === 0 ? '' : ` g${at - 1}`}\n`)
    const policy = policyOf(`${logs}${witnesses}${groups}quorum g31\n`)
    const keys = policy.witnesses.map(({ key }) => key)
    expect(isQuorumMet(policy, new Set(keys))).toBe(true)
    expect(isQuorumMet(policy, new Set(keys.slice(1)))).toBe(false)
  })
})
