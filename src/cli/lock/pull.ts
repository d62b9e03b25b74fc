import { Command } from 'commander'
import { diffLockfiles, isEmptyDiff } from '../../client/lockfile/diff-lockfiles.js'
import { newLockfile } from '../../client/lockfile/edit-lockfile.js'
import { formatOf, readLockfile } from '../../client/lockfile/lockfile-text.js'
import { mergedText } from '../../client/lockfile/merge-lockfiles.js'
import { pullLockfile } from '../../client/lockfile/published.js'
import { lockfileFile } from '../../client/node/lockfile-file.js'
import { prepareConfig, run } from '../prepare.js'
import { openPlace, print, printJson } from './place.js'
import { onServer, type ServerCommandOptions, serverOf } from './server.js'
import { showDiff } from './show.js'

type PullCommandOptions = ServerCommandOptions & { merge?: boolean; digest?: string }

const NOTES = `
The lockfile becomes the server's, byte for byte, and is made if there is none. With --merge what only the lockfile binds
stays; what both bind becomes the server's.`

export function pullCommand(): Command {
  const command = new Command('pull')
    .description('Take over what the server has published.')
    .option('--merge', 'keep what only the lockfile has')
    .option('--digest <sha256>', 'an earlier state, by the digest that a push or a receipt names')
    .addHelpText('after', NOTES)
  return onServer(command).action((options: PullCommandOptions) => run(() => pull(options)))
}

async function pull({ merge = false, digest, profile, ...options }: PullCommandOptions): Promise<void> {
  const config = prepareConfig()
  const api = serverOf(config)
  const { path } = openPlace(config, options, 'a-place')
  const format = formatOf(path)
  const store = lockfileFile(path)
  const pulled = await pullLockfile(api, { format, profile, digest })
  if (pulled === undefined) throw new Error(`${api.where} sent no lockfile.`)
  const their = readLockfile(pulled.text, { where: `What ${api.where} sent`, format }).lockfile
  const text = await store.read()
  // Replaced as a whole, what is there need not be a lockfile that can be read.
  const isWhole = text === undefined || (!merge && profile === undefined)
  const our = text === undefined ? newLockfile('default', [], new Date(0)) : readable(text, isWhole)
  const next = isWhole ? pulled.text : mergedText(our, their, { merge, profile, format })
  if (next !== text && !(await store.replace(next, text))) throw new Error(`${path} was changed meanwhile; pull again.`)
  const after = readLockfile(next, { where: path, format }).lockfile
  const diff = diffLockfiles(our, after)
  if (options.json === true) return printJson({ file: path, changed: next !== text, digest: pulled.digest, diff })
  for (const line of showDiff(diff)) print(line)
  print(
    `${path} ${next === text ? 'is up to date' : isEmptyDiff(diff) ? 'binds the same' : 'is written'}. Digest ${pulled.digest}.`,
  )

  function readable(held: string, isReplaced: boolean) {
    try {
      return readLockfile(held, { where: path, format }).lockfile
    } catch (error) {
      if (!isReplaced) throw error
      return newLockfile('default', [], new Date(0))
    }
  }
}
