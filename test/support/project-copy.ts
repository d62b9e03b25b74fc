import { execFileSync } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ROOT } from './readme.js'

/** Copies what is under version control, and what would be: nothing that was built or installed. Returns its paths. */
export async function copyProject(target: string): Promise<ReadonlySet<string>> {
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' })
  const paths = new Set(list.split('\0').filter((path) => path !== ''))
  for (const path of paths) {
    await mkdir(dirname(join(target, path)), { recursive: true })
    await cp(join(ROOT, path), join(target, path)).catch((error: NodeJS.ErrnoException) => {
      // Removed, and still listed until that is committed.
      if (error.code !== 'ENOENT') throw error
    })
  }
  return paths
}
