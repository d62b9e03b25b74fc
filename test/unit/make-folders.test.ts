import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFolders } from '../../src/platform/make-folders.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'llmring-folders-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('makeFolders', () => {
  it('makes what is missing, and says whether the last one was', async () => {
    const path = join(root, 'a', 'b', 'c')
    expect(await makeFolders(path, 0o700)).toBe(true)
    expect((await stat(join(root, 'a', 'b'))).mode & 0o777).toBe(0o700)
    expect(await makeFolders(path)).toBe(false)
    await symlink(path, join(root, 'link'))
    expect(await makeFolders(join(root, 'link'))).toBe(false)
  })

  it('is one of several that make the same folders at once', async () => {
    const path = join(root, 'x', 'y', 'z')
    const made = await Promise.all(Array.from({ length: 8 }, () => makeFolders(path)))
    expect(made.filter((own) => own)).toHaveLength(1)
  })

  it('rejects where a file is in the way', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(makeFolders(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(makeFolders(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  it.skipIf(process.platform !== 'linux')(
    'gives up below a folder that exists and says that it does not (/proc)',
    async () => {
      await expect(makeFolders('/proc/nope')).rejects.toMatchObject({ code: 'ENOENT' })
      await expect(makeFolders('/proc/nope/below')).rejects.toMatchObject({ code: 'ENOENT' })
    },
  )
})
