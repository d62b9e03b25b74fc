import { Command } from 'commander'
import { lockfileFile } from '../../client/node/lockfile-file.js'
import { type WatchEvent, watchLockfile } from '../../client/node/watch-lockfile.js'
import { prepareConfig, run } from '../prepare.js'
import { openPlace, print, printJson } from './place.js'
import { onServer, type ServerCommandOptions, serverOf } from './server.js'

const NOTES = `
Runs until it is interrupted. Every change is written at once, as a whole; while the server is away the lockfile stays as it
is, and the watch goes on where it stood. Each line that is printed is a state that was written; trouble is told beside them.`

export function watchCommand(): Command {
  const command = new Command('watch')
    .description('Keep the lockfile equal to what the server has published.')
    .addHelpText('after', NOTES)
  return onServer(command).action((options: ServerCommandOptions) => run((signal) => watch(options, signal)))
}

async function watch({ profile, ...options }: ServerCommandOptions, signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const api = serverOf(config)
  const { path } = openPlace(config, options, 'a-place')
  const note = (text: string) => void process.stderr.write(`${text}\n`)
  let said = ''
  const tell = (text: string) => {
    if (text !== said) note(text)
    said = text
  }
  const onEvent = (event: WatchEvent) => {
    if (event.kind === 'written') {
      if (options.json === true) printJson({ file: path, digest: event.digest })
      else print(`${path} is written. Digest ${event.digest}.`)
    } else if (event.kind === 'unpublished') tell(`${api.where} has no lockfile yet.`)
    else if (event.state.status === 'live') tell(`Following ${api.where}.`)
    else tell(`${event.state.error.message} Trying again.`)
  }
  await watchLockfile({ api, store: lockfileFile(path), profile, onEvent, signal, random: Math.random })
}
