const TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not read or write it',
  EISDIR: 'it is a folder',
  EEXIST: 'there is something of that name already',
  ENOTDIR: 'what stands before its last name is no folder',
  EROFS: 'it lies on a file system that is read-only',
  ENOSPC: 'the disk is full',
}
/** What a file is called until it is whole; whoever named the file never saw that. */
const MAKING = /\.making-[0-9a-f]{16}$/

/** Trouble with a file that a command was given, in words; undefined for anything else. */
export function explainFileTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { path, code = '', syscall = '' }: NodeJS.ErrnoException = error
  const trouble = TROUBLE[code]
  if (path === undefined || trouble === undefined || syscall.startsWith('spawn')) return undefined
  return `${path.replace(MAKING, '')}: ${trouble} (${code}).`
}
