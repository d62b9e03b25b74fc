import type { Copy } from './copy.js'
import type { Read, RegistryFile } from './registry-file.js'
import type { KeptFile } from './store.js'

/** A copy, and how its file is read. */
export type Restorable = { readonly restore: (kept: KeptFile) => boolean; readonly path: string }

/** Binds a copy to its reader. A kept file that does not read any more is left where it is. */
export function restorable<File extends RegistryFile>(copy: Copy<File>, read: Read<File>): Restorable {
  return {
    path: copy.target.path,
    restore: (kept) => {
      const result = read(kept.bytes)
      if (result.ok) copy.restore(result.file, kept.fetchedAt)
      return result.ok
    },
  }
}

export type RestoreDeps = { readonly newest: (paths: readonly string[]) => Promise<readonly KeptFile[]> }

/** Takes the last good copies from Postgres, so that a start with the origin down serves. Returns how many there were. */
export async function restoreCopies(deps: RestoreDeps, copies: readonly Restorable[]): Promise<number> {
  const kept = await deps.newest(copies.map(({ path }) => path))
  return kept.filter((file) => copies.find(({ path }) => path === file.path)?.restore(file) === true).length
}
