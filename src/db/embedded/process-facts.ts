import { readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { runAs } from './run-as.js'

/** What a process was started as: its program's path as given, and the folder after `-D`. */
export type Command = { readonly program: string; readonly dataDir: string | undefined }

const OURSELVES = { name: 'this user', ids: undefined }

/** How a process was started; undefined where there is none, or only a zombie. Source: `/proc` on Linux, else `ps`. */
export async function commandOf(pid: number): Promise<Command | undefined> {
  if (process.platform !== 'linux') return commandFromPs(pid)
  try {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
    const program = words[0]
    // A zombie's command line is empty.
    return program ? { program, dataDir: words[words.indexOf('-D') + 1] } : undefined
  } catch {
    return undefined
  }
}

/**
 * The folder that a process works in, as a path that leads there even after a rename. Undefined if it cannot be
 * seen: other platforms than Linux, or a container's root without CAP_SYS_PTRACE.
 */
export async function workingDirectoryOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  const path = `/proc/${pid}/cwd`
  return readlink(path).then(
    () => path,
    () => undefined,
  )
}

async function commandFromPs(pid: number): Promise<Command | undefined> {
  const { ok, output } = await runAs(OURSELVES, '/bin/ps', ['-ww', '-o', 'command=', '-p', String(pid)])
  // Ours are started as `<path>/postgres -D <folder> -c <setting>…`; paths may hold spaces, so the marks are looked
  // for.
  const words = /^(.*?postgres) -D (.*?) -c /.exec(output)
  if (ok && words?.[1] !== undefined) return { program: words[1], dataDir: words[2] }
  return ok && basename(output) === 'postgres' ? { program: output, dataDir: undefined } : undefined
}
