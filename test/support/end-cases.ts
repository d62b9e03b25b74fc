import type { AuditCase } from './audit-cases.js'
import { AuditLog, bytes, chainOf, packageBytes } from './audit-world.js'

/** Packages whose last line counts the others, whole and not, and files that a download left behind. */
export async function endCases(): Promise<readonly AuditCase[]> {
  const chain = chainOf(3)
  const [header = {}, ...places] = await new AuditLog(chain).packageLines(chain)
  const head = { ...header, end_line: true }
  const end = { type: 'audit-end', count: places.length, last_seq: 3 }
  const whole = packageBytes([head, ...places, end])
  const undecided = { verdict: 'undecided', by: ['text'] } as const
  const bad = { verdict: 'bad', by: ['text'] } as const
  return [
    { name: 'a package with its end', document: whole, verdict: 'good', by: [] },
    {
      name: 'a package that is cut between two lines',
      document: packageBytes([head, ...places.slice(0, 2)]),
      ...undecided,
    },
    { name: 'a package that is cut within a line', document: whole.subarray(0, whole.length - 100), ...undecided },
    {
      name: 'a package that is cut within its first line of a place',
      document: whole.subarray(0, packageBytes([head]).length + 50),
      verdict: 'undecided',
      by: ['text', 'chain'],
    },
    { name: 'an end that counts more', document: packageBytes([head, ...places, { ...end, count: 4 }]), ...bad },
    {
      name: 'an end with another last number',
      document: packageBytes([head, ...places, { ...end, last_seq: 4 }]),
      ...bad,
    },
    { name: 'an end that counts nothing', document: packageBytes([head, ...places, { type: 'audit-end' }]), ...bad },
    {
      name: 'a line behind the end',
      document: packageBytes([head, ...places.slice(0, 2), { ...end, count: 2, last_seq: 2 }, ...places.slice(2)]),
      ...bad,
    },
    {
      name: 'statements that are no list',
      document: packageBytes([{ ...head, statements: 'none' }, ...places, end]),
      ...bad,
    },
    {
      name: 'an end_line that is no yes or no',
      document: packageBytes([{ ...head, end_line: 1 }, ...places, end]),
      ...bad,
    },
    { name: 'an empty file', document: new Uint8Array(0), ...undecided },
    { name: 'a file of blanks', document: bytes(' \n\n'), ...undecided },
  ]
}

/** What is said of those that are not good. */
export const END_WORDS: Readonly<Record<string, readonly string[]>> = {
  'a package that is cut between two lines': [
    'text undecided: Its last line, which counts the others, is missing: it was cut off.',
  ],
  'a package that is cut within a line': [
    'text undecided: Line 4: It breaks off: the file was cut, or is still being written.',
  ],
  'a package that is cut within its first line of a place': [
    'text undecided: Line 2: It breaks off: the file was cut, or is still being written.',
    'chain undecided: It holds no receipts.',
  ],
  'an end that counts more': ['text failed: Its last line counts 4 lines up to number 3, and it has 3 up to number 3.'],
  'an end with another last number': [
    'text failed: Its last line counts 3 lines up to number 4, and it has 3 up to number 3.',
  ],
  'an end that counts nothing': ['text failed: Line 5: It counts nothing.'],
  'a line behind the end': ['text failed: Line 5: It stands behind the end.'],
  'statements that are no list': ['text failed: Its statements are no list.'],
  'an end_line that is no yes or no': ['text failed: Its end_line is neither true nor false.'],
  'an empty file': ['text undecided: It is empty.'],
  'a file of blanks': ['text undecided: It is empty.'],
}
