import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findBundle } from '../../src/cli/bundle.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-bundle-'))
  await mkdir(join(directory, 'bundle'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const dist = () => pathToFileURL(`${directory}/`)
const compiled = (record: string) => writeFile(join(directory, '.tsbuildinfo'), record)
const bundled = (record: string) => writeFile(join(directory, 'bundle', 'made-from.tsbuildinfo'), record)

describe('the bundle', () => {
  it('is what starts, if it was made from what is compiled', async () => {
    await Promise.all([compiled('{"a":1}'), bundled('{"a":1}')])
    expect(findBundle(dist())?.href).toBe(new URL('bundle/program.js', dist()).href)
  })

  it('is passed over once anything has been compiled anew', async () => {
    await Promise.all([compiled('{"a":2}'), bundled('{"a":1}')])
    expect(findBundle(dist())).toBeUndefined()
  })

  it('is passed over if it is not whole, or if nothing tells what it was made from', async () => {
    expect(findBundle(dist())).toBeUndefined()
    // Its record is written last.
    await compiled('{"a":1}')
    expect(findBundle(dist())).toBeUndefined()
    await rm(join(directory, '.tsbuildinfo'))
    await bundled('{"a":1}')
    expect(findBundle(dist())).toBeUndefined()
  })
})
