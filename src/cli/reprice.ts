import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import type { Api } from '../client/api.js'
import { interruptible } from './interruptible.js'
import { CLI_LIMITS } from './limits.js'
import { JSON_OUTPUT, print, printJson } from './lock/place.js'
import { serverOf } from './lock/server.js'
import { prepareConfig, run } from './prepare.js'

type RepriceOptions = { registryVersion?: string; dryRun?: boolean; json?: boolean }
type Sums = {
  readonly events: number
  readonly changed: number
  readonly cost_before: string
  readonly cost_after: string
}
type Job = Sums & {
  readonly id: string
  readonly status: string
  readonly dry_run: boolean
  readonly finished_at: string | null
  readonly progress: number
  readonly last_failure: string | null
  readonly certified: { readonly events: number; readonly cost: string; readonly repriced_cost: string }
  readonly by_model: Readonly<Record<string, Sums>>
}

const NOTES = `
Start and end are days or moments, both included. Without --registry-version each event takes the price that was in force
at its time. The server at LLMRING_SERVER_URL does the work, with the project key in LLMRING_PROJECT_KEY (or
LLMRING_API_KEY), which needs the role admin; it goes on if this command is interrupted. Exits with 1 if it was cancelled
or failed.`

export function repriceCommand(): Command {
  return new Command('reprice')
    .description('Price what was recorded in a period again.')
    .argument('<start>', 'the first day or moment, like 2026-01-01')
    .argument('<end>', 'the last one')
    .option('--registry-version <versions>', 'price with these, like openai@7 or anthropic@9+openai@7')
    .option('--dry-run', 'only show what would change')
    .option(...JSON_OUTPUT)
    .addHelpText('after', NOTES)
    .action((start: string, end: string, options: RepriceOptions) => run(() => reprice(start, end, options)))
}

async function reprice(start: string, end: string, options: RepriceOptions): Promise<void> {
  const api = serverOf(prepareConfig())
  const body = { start, end, registry_version: options.registryVersion, dry_run: options.dryRun === true }
  const begun = await api.json<Job>('POST', '/api/v1/reprice', { body })
  const job = await interruptible((signal) => followed(api, begun, signal))
  if (options.json === true) printJson(job)
  else for (const line of showJob(job)) print(line)
  if (job.status !== 'done') process.exitCode = 1
}

/** The job when it is over. How far it is goes to standard error, if that is a terminal. */
async function followed(api: Api, begun: Job, signal: AbortSignal): Promise<Job> {
  let job = begun
  while (job.finished_at === null) {
    showProgress(job)
    await pause(CLI_LIMITS.repricePollMs, undefined, { signal })
    job = await api.json<Job>('GET', `/api/v1/reprice/${begun.id}`, { signal })
  }
  showProgress(job, '\n')
  return job
}

function showProgress({ progress, events }: Job, end = ''): void {
  if (process.stderr.isTTY !== true) return
  process.stderr.write(`\r${Math.round(100 * progress)} %, ${events.toLocaleString('en-US')} events\u001b[K${end}`)
}

function showJob(job: Job): string[] {
  const models = Object.entries(job.by_model).filter(([, { changed }]) => changed > 0)
  const { certified } = job
  return [
    ...models.map(([model, sums]) => `${model}: ${showSums(sums)}`),
    ...(certified.events === 0
      ? []
      : [`certified, and left as they are: ${certified.events}, ${certified.cost} USD (${certified.repriced_cost})`]),
    `${job.status}${job.last_failure === null ? '' : ` (${job.last_failure})`}: ${showSums(job)}`,
    ...(job.dry_run ? ['Nothing was changed: a dry run.'] : []),
  ]
}

const showSums = ({ events, changed, cost_before: before, cost_after: after }: Sums): string =>
  `${changed} of ${events} events change, ${before} USD → ${after} USD`
