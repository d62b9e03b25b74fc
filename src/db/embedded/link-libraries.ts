import { lstat, readFile, symlink } from 'node:fs/promises'
import { dirname, join, normalize, relative } from 'node:path'
import { codeOf } from './embedded-error.js'

type LibraryLink = { readonly from: string; readonly to: string }

/**
 * Makes the links between libraries that npm packages cannot hold. The package's install script does the same, but
 * some npm configurations run no install scripts. Throws if a missing link cannot be made (`EACCES`, `EROFS`).
 */
export async function linkLibraries(nativeDir: string): Promise<void> {
  for (const { from, to } of await readLinks(nativeDir)) {
    const name = join(nativeDir, to)
    if (await isThere(name)) continue
    try {
      // Crash here: some links exist and some do not; the next start makes the others.
      await symlink(relative(dirname(to), from), name)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
  }
}

async function readLinks(nativeDir: string): Promise<LibraryLink[]> {
  let text: string
  try {
    text = await readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
  const entries: unknown = JSON.parse(text)
  if (!Array.isArray(entries)) throw new Error('pg-symlinks.json is not a list')
  return entries.map((entry: unknown) => ({ from: inNative(entry, 'source'), to: inNative(entry, 'target') }))
}

/** The path below `native/`; anything that leads out of it is refused. */
function inNative(entry: unknown, key: 'source' | 'target'): string {
  const value: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, key) : undefined
  const path = typeof value === 'string' ? normalize(value) : ''
  if (!path.startsWith('native/')) throw new Error('pg-symlinks.json names a path outside the package')
  return path.slice('native/'.length)
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
