import { readFileSync } from 'node:fs'

/** A copy of the compiler's record of what it compiled, with its digests: made by the bundler beside what it made. */
const RECORD = 'bundle/made-from.tsbuildinfo'

/**
 * The command line in a few large files, made of the modules in `dist` and of most packages: a start reads a thousand
 * small files without it, which takes a third of its processor time. Undefined if none was made, or if what it was made
 * from has been compiled anew since: then the modules count.
 */
export function findBundle(dist: URL): URL | undefined {
  try {
    const bundled = readFileSync(new URL(RECORD, dist))
    return bundled.equals(readFileSync(new URL('.tsbuildinfo', dist))) ? new URL('bundle/program.js', dist) : undefined
  } catch {
    return undefined
  }
}
