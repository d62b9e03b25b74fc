import { Command } from 'commander'
import { AliasError } from '../../client/alias-error.js'
import type { Api } from '../../client/api.js'
import { diffLockfiles, isEmptyDiff } from '../../client/lockfile/diff-lockfiles.js'
import { newLockfile } from '../../client/lockfile/edit-lockfile.js'
import { formatOf, readLockfile } from '../../client/lockfile/lockfile-text.js'
import { pullLockfile } from '../../client/lockfile/published.js'
import { lockfileFile } from '../../client/node/lockfile-file.js'
import { prepareConfig, run } from '../prepare.js'
import { openPlace, print, printJson } from './place.js'
import { onServer, type ServerCommandOptions, serverOf } from './server.js'
import { showDiff } from './show.js'

export function diffCommand(): Command {
  const command = new Command('diff').description(
    'Show what a push of the lockfile would change on the server. Exits with 1 if anything.',
  )
  return onServer(command).action((options: ServerCommandOptions) => run(() => diff(options)))
}

async function diff({ profile, ...options }: ServerCommandOptions): Promise<void> {
  const config = prepareConfig()
  const api = serverOf(config)
  const { path } = openPlace(config, options)
  const format = formatOf(path)
  const our = readLockfile((await lockfileFile(path).read()) ?? '', { where: path, format }).lockfile
  const found = diffLockfiles(await published(api), our, profile)
  if (options.json === true) printJson(found)
  else if (isEmptyDiff(found)) print(`${path} and ${api.where} bind the same.`)
  else for (const line of showDiff(found)) print(line)
  if (!isEmptyDiff(found)) process.exitCode = 1
}

/** What the server has; nothing, if nothing was ever published there. */
async function published(api: Api) {
  try {
    const pulled = await pullLockfile(api, { format: 'toml' })
    const read = { where: `What ${api.where} sent`, format: 'toml', bareModels: 'keep' } as const
    return readLockfile(pulled?.text ?? '', read).lockfile
  } catch (error) {
    if (!(error instanceof AliasError) || error.problem?.status !== 404) throw error
    return newLockfile('default', [], new Date(0))
  }
}
