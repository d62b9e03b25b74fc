import { type Command, InvalidArgumentError } from 'commander'
import { type Api, createApi } from '../../client/api.js'
import type { Applied, ChangeOptions } from '../../client/lockfile/published.js'
import type { Config } from '../../config/config.js'
import { NotConfigured } from '../not-configured.js'
import { FILE, JSON_OUTPUT, print, printJson } from './place.js'
import { showDiff } from './show.js'

export type ServerCommandOptions = { file?: string; profile?: string; json?: boolean }
export type ChangeCommandOptions = ServerCommandOptions & {
  note?: string
  dryRun?: boolean
  expectedRevision?: number
}

const ONE_PROFILE = ['--profile <name>', 'only this profile'] as const

/** Adds what every command that compares a lockfile with a server takes. */
export const onServer = (command: Command): Command =>
  command
    .option(...FILE)
    .option(...ONE_PROFILE)
    .option(...JSON_OUTPUT)

/** Adds what every command that changes a server's aliases takes. */
export const onChange = (command: Command): Command =>
  command
    .option('--note <text>', 'kept with the change in the history')
    .option('--expected-revision <number>', 'change nothing if something changed after this revision', readRevision)
    .option('--dry-run', 'only show what would change')

export function readRevision(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a revision, 0 or more.')
  return Number(text)
}

export const changeOf = ({ note, dryRun, expectedRevision }: ChangeCommandOptions): ChangeOptions => {
  return { note, dryRun, expectedRevision }
}

/** The server that is configured. Throws `NotConfigured` if there is none. */
export function serverOf({ client: { serverUrl, projectKey } }: Config): Api {
  if (serverUrl !== undefined && projectKey !== undefined) {
    return createApi({ url: serverUrl, key: projectKey.reveal() })
  }
  const lacking = serverUrl === undefined ? 'LLMRING_SERVER_URL' : 'LLMRING_PROJECT_KEY (or LLMRING_API_KEY)'
  throw new NotConfigured(`The configuration is wrong:\n  ${lacking}: needed by this command`)
}

/** Prints what a change came to. */
export function printApplied(applied: Applied, json: boolean | undefined): void {
  if (json === true) {
    printJson(applied)
    return
  }
  for (const line of showDiff(applied.diff)) print(line)
  const { revision, changed, dry_run: isDry } = applied
  if (isDry) print(`Nothing was changed: a dry run at revision ${revision}.`)
  else print(changed ? `Revision ${revision}.` : `Nothing to change: revision ${revision} holds.`)
}
