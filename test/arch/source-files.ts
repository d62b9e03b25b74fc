import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

export type SourceFile = {
  /** Relative to the project, with `/`. */
  readonly path: string
  readonly text: string
  readonly lines: number
}

/** Every TypeScript file under a folder of the project, by path. */
export function readSourceFiles(folder: string, root = ROOT): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const absolute = join(entry.parentPath, entry.name)
      const text = readFileSync(absolute, 'utf8')
      return { path: relative(root, absolute).split(sep).join('/'), text, lines: countLines(text) }
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1))
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
