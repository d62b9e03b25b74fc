import { Command } from 'commander'
import { formatOf, readLockfile } from '../../client/lockfile/lockfile-text.js'
import { pushLockfile } from '../../client/lockfile/published.js'
import { lockfileFile } from '../../client/node/lockfile-file.js'
import { prepareConfig, run } from '../prepare.js'
import { openPlace, print, warn } from './place.js'
import { type ChangeCommandOptions, changeOf, onChange, onServer, printApplied, serverOf } from './server.js'

const NOTES = `
Everything or nothing is published, as one revision; what the lockfile does not bind is unbound on the server. A lockfile
that has no times yet gets them, here as there.`

export function pushCommand(): Command {
  const command = new Command('push').description('Publish the lockfile.').addHelpText('after', NOTES)
  return onChange(onServer(command)).action((options: ChangeCommandOptions) => run(() => push(options)))
}

async function push(options: ChangeCommandOptions): Promise<void> {
  const config = prepareConfig()
  const api = serverOf(config)
  const { path } = openPlace(config, options)
  const format = formatOf(path)
  const store = lockfileFile(path)
  const text = (await store.read()) ?? ''
  const { lockfile, warnings } = readLockfile(text, { where: path, format })
  const published = await pushLockfile(api, { text, format, profile: options.profile, ...changeOf(options) })
  for (const message of published.warnings ?? warnings) warn(message)
  printApplied(published, options.json)
  if (options.json !== true) print(`Digest ${published.digest}.`)
  const hasTimes = lockfile.createdAt !== null && lockfile.updatedAt !== null
  if (hasTimes || options.dryRun === true) return
  if (!(await store.replace(published.lockfile, text))) warn(`${path} was changed meanwhile and did not get its times.`)
}
