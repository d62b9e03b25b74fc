import type { Command } from 'commander'
import type { AliasClient } from '../../client/alias-client.js'
import { openLockfile } from '../../client/lockfile/open-lockfile.js'
import { findLockfile, lockfilePath } from '../../client/node/find-lockfile.js'
import { lockfileFile } from '../../client/node/lockfile-file.js'
import type { Config } from '../../config/config.js'
import { registryOf } from './registry.js'

export type PlaceOptions = { file?: string; profile?: string; json?: boolean; online?: boolean }

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
export const printJson = (value: unknown): void => print(JSON.stringify(value))
/** Beside the answer, which is on standard output. */
export const warn = (text: string): void => void process.stderr.write(`Warning: ${text}\n`)

export const FILE = ['--file <path>', 'the lockfile (default: LLMRING_LOCKFILE_PATH, then llmring.lock here)'] as const
const PROFILE = ['--profile <name>', "the profile (default: LLMRING_PROFILE, then the lockfile's own)"] as const
export const JSON_OUTPUT = ['--json', 'print JSON'] as const
export const ONLINE = [
  '--online',
  'ask the registry at LLMRING_REGISTRY_BASE_URL, not the copy that comes with this program',
] as const

/** Adds what every command on a lockfile takes. */
export const onLockfile = (command: Command): Command =>
  command
    .option(...FILE)
    .option(...PROFILE)
    .option(...JSON_OUTPUT)

/** The same of one that looks models up. */
export const onRegistry = (command: Command): Command => onLockfile(command).option(...ONLINE)

export type Place = { readonly path: string; readonly profile: string | undefined; readonly client: AliasClient }

/** The lockfile that a command is about. It has to be there, unless the command makes it. */
export function openPlace(
  config: Config,
  options: PlaceOptions,
  has: 'to-be-there' | 'a-place' = 'to-be-there',
): Place {
  const { lockfilePath: environmentPath } = config.client
  const find = has === 'to-be-there' ? findLockfile : lockfilePath
  const path = find({ path: options.file, environmentPath })
  const profile = options.profile ?? config.client.profile
  const registry = registryOf(config, options.online)
  return { path, profile, client: openLockfile(lockfileFile(path), { profile, registry }) }
}
