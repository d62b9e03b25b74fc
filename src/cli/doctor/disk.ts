import { randomBytes } from 'node:crypto'
import { open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { receiptsKeyFile } from '../../compose/data-directory.js'
import { deadline } from '../../platform/deadline.js'
import { CLI_LIMITS } from '../limits.js'
import { type Check, describeTrouble, type Finding, fail, ok } from './check.js'

const GIB = 1024 ** 3
const FREE_BYTES_MIN = GIB
const OTHERS = 0o077

type Needs = {
  /** Undefined if the database is not the embedded one: then nothing is kept in the data directory. */
  readonly dataDir: string | undefined
  /** Where the embedded PostgreSQL really keeps its data; rejects where it cannot be asked. */
  readonly clusterDir: () => Promise<string>
}

export type Space = { readonly freeBytes: number; readonly totalBytes: number }

/** Space, durable writes, and who can read the secrets in the data directory. */
export function diskCheck({ dataDir, clusterDir }: Needs): Check {
  return {
    name: 'disk',
    look: async () => {
      if (dataDir === undefined) return ok('not used: the data is in the database')
      // As root the cluster may lie somewhere else; without an answer it is looked for where it usually is.
      const cluster = await deadline(clusterDir(), CLI_LIMITS.clusterAnswerMsMax).catch(() =>
        join(dataDir, 'postgres', 'cluster'),
      )
      const exposed = await listExposed([receiptsKeyFile(dataDir), join(dirname(cluster), 'password')])
      if (exposed.length > 0) return fail(`others can read ${exposed.join(' and ')}: chmod 600`)
      await tryFlush(dataDir)
      const home = await measureSpace(cluster).then(
        (space) => ({ space, path: cluster }),
        async () => ({ space: await measureSpace(dataDir), path: dataDir }),
      )
      return judgeSpace(home.space, home.path)
    },
  }
}

export function judgeSpace({ freeBytes, totalBytes }: Space, path: string): Finding {
  const share = totalBytes === 0 ? 0 : freeBytes / totalBytes
  const text = `${(freeBytes / GIB).toFixed(1)} GiB (${Math.floor(share * 100)} %) free in ${path}`
  if (freeBytes < FREE_BYTES_MIN || share < CLI_LIMITS.freeShareMin) return fail(`${text}: too little`)
  return ok(text)
}

async function measureSpace(path: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(path)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/** Those of the files that other users may read or write. */
async function listExposed(paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) {
    const mode = await stat(path).then(
      (stats) => stats.mode,
      () => 0,
    )
    if ((mode & OTHERS) !== 0) found.push(path)
  }
  return found
}

/** Some network and virtual file systems take writes and refuse to make them last. */
async function tryFlush(dir: string): Promise<void> {
  const path = join(dir, `doctor-${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile('fsync')
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new Error(`${dir} cannot be written to durably: ${describeTrouble(error)}`, { cause: error })
  } finally {
    await rm(path, { force: true })
  }
}
