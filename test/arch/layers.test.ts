import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cruised, cruiseSource } from './cruise-source.js'
import { LAYER_RULES, MAY_USE } from './layer-rules.js'
import { PLANTED_FAULTS, type PlantedFault } from './planted-faults.js'
import { ROOT, readSourceFiles } from './source-files.js'

describe('the source', () => {
  let cruised: Cruised
  beforeAll(async () => {
    cruised = await cruiseSource(ROOT)
  })

  test('is looked at whole: every file that a walk finds, and its imports', () => {
    const paths = readSourceFiles('src').map((file) => file.path)
    expect(paths.length).toBeGreaterThan(100)
    expect(cruised.modules).toEqual(expect.arrayContaining(paths))
    expect(cruised.imports).toBeGreaterThan(paths.length)
  })

  test('keeps every layer rule', () => {
    expect(cruised.violations.map(({ rule, from, to }) => `${rule}: ${from} -> ${to}`)).toEqual([])
  })

  test('has no part that the rules do not know', () => {
    const parts = readdirSync(join(ROOT, 'src')).map((name) => name.replace(/\.ts$/, ''))
    expect(Object.keys(MAY_USE)).toEqual(expect.arrayContaining(parts))
  })
})

describe('the rules', () => {
  let root: string
  let cruised: Cruised
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'llmring-layers-'))
    for (const name of ['src', 'package.json', 'tsconfig.json'])
      cpSync(join(ROOT, name), join(root, name), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    for (const fault of PLANTED_FAULTS) plant(root, fault)
    cruised = await cruiseSource(root)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  test.each(PLANTED_FAULTS)('find a planted fault: $rule in $file', ({ rule, file }) => {
    const found = cruised.violations.filter((violation) => violation.from === file || violation.to === file)
    expect(found.map((violation) => violation.rule)).toContain(rule)
  })

  test('are each proved by a planted fault', () => {
    const proved = new Set(PLANTED_FAULTS.map((fault) => fault.rule))
    expect([...proved].sort()).toEqual((LAYER_RULES.forbidden ?? []).map((rule) => rule.name ?? '').sort())
  })
})

function plant(root: string, fault: PlantedFault): void {
  const path = join(root, fault.file)
  mkdirSync(dirname(path), { recursive: true })
  const imports = fault.imports.map(
    (name, index) => `import * as planted${index} from '${name}'\nvoid planted${index}\n`,
  )
  appendFileSync(path, `${imports.join('')}export const plantedFault = true\n`)
}
