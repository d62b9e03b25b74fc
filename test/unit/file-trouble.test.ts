import { expect, test } from 'vitest'
import { explainFileTrouble } from '../../src/cli/file-trouble.js'

const trouble = (code: string, path: string, syscall = 'open') =>
  Object.assign(new Error('raw'), { code, path, syscall })

test('trouble with a file is told under the name that somebody gave it', () => {
  expect(explainFileTrouble(trouble('ENOENT', '/a/b.dump.making-0123456789abcdef'))).toBe(
    '/a/b.dump: there is no such file or folder (ENOENT).',
  )
  expect(explainFileTrouble(trouble('EACCES', 'x'))).toBe('x: this user may not read or write it (EACCES).')
})

test('what is no trouble with a file is left to others', () => {
  for (const other of [trouble('ENOENT', 'psql', 'spawn psql'), trouble('EMFILE', 'x'), new Error('x'), 'x'])
    expect(explainFileTrouble(other)).toBeUndefined()
})
