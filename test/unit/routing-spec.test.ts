import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { NEXT_BREAKER_STATUS, type Outcome, verdictOf } from '../../src/core/routing/index.js'
import { readSourceFiles } from '../arch/source-files.js'

const spec = readFileSync(new URL('../../src/core/routing/SPEC.md', import.meta.url), 'utf8')
const rows = spec.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim())
  return cells.length > 5 && !line.includes('---') ? [cells.slice(1, -1)] : []
})
const rowsUnder = (head: string) => {
  const from = rows.findIndex(([first]) => first === head)
  const to = rows.findIndex(([first], index) => index > from && (first === 'status' || first === 'outcome'))
  return rows.slice(from, to === -1 ? undefined : to)
}

describe('the specification of routing', () => {
  const tests = readSourceFiles('test')
    .filter(({ path }) => /\/routing-[a-z-]+\.test\.ts$/.test(path))
    .map(({ text }) => text.replaceAll("\\'", "'"))
    .join('\n')
  const named = spec
    .split('\n')
    .filter((line) => /Tests?: "/.test(line))
    .flatMap((line) => [...line.slice(line.search(/Tests?: "/)).matchAll(/"([^"]+)"/g)].map(([, name = '']) => name))

  test('names tests that exist', () => {
    expect(named.length).toBeGreaterThan(25)
    for (const name of named) {
      const found = [`'${name}'`, `"${name}"`].some((title) => tests.includes(title))
      expect(found, name).toBe(true)
    }
  })

  test('shows the table of the breaker as it is', () => {
    const [head = [], ...cells] = rowsUnder('status')
    const shown = Object.fromEntries(
      cells.map(([status, ...next]) => [
        status,
        Object.fromEntries(head.slice(1).map((event, at) => [event, next[at]])),
      ]),
    )
    expect(shown).toEqual(NEXT_BREAKER_STATUS)
  })

  test('shows the verdicts as they are', () => {
    const [, ...verdicts] = rowsUnder('outcome')
    const outcomesOf = (cell: string): Outcome[] => {
      if (!cell.startsWith('status')) return [{ kind: cell as Exclude<Outcome['kind'], 'status'> }]
      if (cell.includes('any other')) return [400, 405, 413, 422, 499].map((status) => ({ kind: 'status', status }))
      const numbers = [...cell.matchAll(/(\d)(\d\d|xx)/g)].map(([, first = '', rest = '']) =>
        Number(first + rest.replace('xx', '00')),
      )
      return numbers.map((status) => ({ kind: 'status', status }))
    }
    const shown = verdicts.flatMap(([cell = '', step, result, sign]) =>
      outcomesOf(cell).map((outcome) => ({ outcome, verdict: { step, result, sign } })),
    )
    expect(shown.length).toBeGreaterThan(20)
    expect(shown).toEqual(shown.map(({ outcome }) => ({ outcome, verdict: verdictOf(outcome) })))
  })
})
