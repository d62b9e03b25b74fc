import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, type CommanderError, InvalidArgumentError } from 'commander'
import type { Policy } from '../core/tlog/index.js'
import { Aborted } from '../platform/abortable.js'
import { systemClock } from '../platform/clock.js'
import { replaceFile } from '../platform/durable.js'
import { createNodeVerifier } from '../platform/node-ed25519.js'
import { explainFileTrouble } from './file-trouble.js'
import { interruptible } from './interruptible.js'
import { CLI_LIMITS } from './limits.js'
import { checkLog } from './monitor/check-log.js'
import { type Contradiction, Finding, type MonitorVerdict } from './monitor/finding.js'
import { createLogReader } from './monitor/log-reader.js'
import { readMonitorState, writeMonitorState } from './monitor/monitor-state.js'
import { readOther } from './monitor/read-other.js'
import { type Look, renderLook, renderLookJson, showDerived } from './monitor/render.js'
import { NotConfigured } from './not-configured.js'
import { readPolicyFile } from './read-policy.js'

const EXIT_OF: Readonly<Record<MonitorVerdict, number>> = { good: 0, bad: 1, undecided: 2, unwitnessed: 3 }
const EXIT_USAGE = 64

type Options = {
  readonly policy: string
  readonly state: string
  readonly full?: true
  readonly compare?: string
  readonly once?: true
  readonly every?: number
  readonly json?: true
}

const NOTES = `
Keeps the last checkpoint in the state file, and checks each time that the log's tree still begins with that one. URL is
that of the log, such as https://llmring.example/log (without a path, /log is meant). --full derives every tile from the
entries; interrupted, it goes on where it was. --compare takes the checkpoint of another auditor, or their state file. Two
signed views that disagree are written to <state>.evidence-….json; the state then stays as it was.

Exit codes: 0 proven good, 1 proven bad, 2 could not be decided, 3 consistent but not witnessed enough, 64 wrong usage.
With --every it runs until it is interrupted, or until the log is proven bad.`

export function monitorCommand(): Command {
  return new Command('monitor')
    .description('Watch a log: that its tree only grows, and that enough witnesses have seen it.')
    .argument('<url>', 'the log', readUrl)
    .requiredOption('--policy <file>', "the log's key, the witnesses and the quorum (c2sp.org/tlog-policy)")
    .requiredOption('--state <file>', 'the last checkpoint; made on the first run')
    .option('--full', 'derive every tile from the entries')
    .option('--compare <file>', "another auditor's checkpoint")
    .option('--once', 'look once (this is the default)')
    .option('--every <time>', 'look again and again: 60s, 5m, 1h', readTime)
    .option('--json', 'print a line of JSON for each look')
    .addHelpText('after', NOTES)
    .exitOverride(leave)
    .action(async (url: URL, options: Options) => {
      process.exitCode = await monitor(url, options)
    })
}

function leave({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE)
}

async function monitor(url: URL, options: Options): Promise<number> {
  let last: MonitorVerdict = 'undecided'
  const work = async (signal: AbortSignal): Promise<void> => {
    const policy = await readPolicyFile(options.policy)
    for (;;) {
      const looked = await look(url, options, policy, signal)
      process.stdout.write(options.json === true ? renderLookJson(looked) : renderLook(looked))
      last = looked.verdict
      if (options.every === undefined || last === 'bad') return
      await sleep(options.every, undefined, { signal })
    }
  }
  try {
    await interruptible(work)
    return EXIT_OF[last]
  } catch (error) {
    // What it came to so far is what it came to.
    if (error instanceof Aborted) return EXIT_OF[last]
    const message = explainFileTrouble(error) ?? (error instanceof Error ? error.message : String(error))
    process.stderr.write(`${message}\n`)
    return error instanceof NotConfigured || explainFileTrouble(error) !== undefined ? EXIT_USAGE : EXIT_OF.undecided
  }
}

/** One look, told from its end: what was found is no error of this program. */
async function look(url: URL, options: Options, policy: Policy, signal: AbortSignal): Promise<Look> {
  const at = new Date(systemClock()).toISOString()
  const state = await readMonitorState(options.state)
  const other = options.compare === undefined ? null : await readOther(options.compare)
  // What was asked for ahead is not waited for once the look is over.
  const over = new AbortController()
  const deps = {
    reader: createLogReader(url, AbortSignal.any([signal, over.signal])),
    policy,
    verifier: createNodeVerifier(),
    clock: systemClock,
    save: (next: typeof state) => writeMonitorState(options.state, next),
    onProgress: showDerived(),
    signal,
  }
  try {
    const checked = await checkLog(deps, { state, other, full: options.full === true })
    return { at, verdict: checked.quorumMet ? 'good' : 'unwitnessed', checked }
  } catch (error) {
    if (!(error instanceof Finding)) throw error
    const { verdict, message, contradiction } = error
    if (contradiction === undefined) return { at, verdict, why: message }
    return { at, verdict, why: message, evidence: await writeEvidence(options.state, at, message, contradiction) }
  } finally {
    over.abort()
  }
}

/** Both notes and why they contradict each other, in a file whose name says which notes they are. */
async function writeEvidence(state: string, at: string, why: string, found: Contradiction): Promise<string> {
  const { first, second, consistencyProof } = found
  const name = createHash('sha256').update(first).update(second).digest('hex').slice(0, 16)
  const path = `${state}.evidence-${name}.json`
  const proof = consistencyProof === undefined ? {} : { consistency_proof: consistencyProof }
  const evidence = { type: 'llmring-evidence/v1', why, found_at: at, first, second, ...proof }
  await replaceFile(path, `${JSON.stringify(evidence, null, 2)}\n`, 0o644)
  return path
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.username !== '') {
    throw new InvalidArgumentError('It must be a URL with http or https, without a query.')
  }
  return url
}

function readTime(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? []
  const ms = Number(count) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? Number.NaN)
  if (ms >= CLI_LIMITS.monitorPauseMsMin && ms <= CLI_LIMITS.monitorPauseMsMax) return ms
  throw new InvalidArgumentError('It must be a time such as 60s, 5m or 1h, from 1s to 24h.')
}
