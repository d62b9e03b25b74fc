import { Command, InvalidArgumentError } from 'commander'
import { CLI_LIMITS } from '../limits.js'
import { JSON_OUTPUT, print, printJson } from '../lock/place.js'
import { prepareConfig, run } from '../prepare.js'
import { type BenchOrder, measure } from './bench/measure.js'
import { renderReport, reportOf } from './bench/report.js'
import { startParts } from './bench/start-parts.js'

type BenchOptions = { calls: number; concurrency: number; seconds: number; stream?: boolean; json?: boolean }

const HELP = `
Starts an upstream, a bare pipe to it (which passes bytes on and reads nothing) and a gateway in front of it, on this
machine, and calls all three in turns. The gateway keeps its rows in a Postgres that the bench starts and removes: no
database is needed, none that is configured is touched, and no provider is called. A machine that does something else
at the same time shows in the pipe's figures, too; compare with those.`

/** A whole number from 1 to `max`. */
const upTo =
  (max: number) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
    if (value < 1 || value > max) throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`)
    return value
  }

export function benchCommand(): Command {
  const { benchCallsMax, benchCallsAtOnceMax, benchSecondsMax } = CLI_LIMITS
  const { benchCallsDefault, benchCallsAtOnceDefault, benchSecondsDefault } = CLI_LIMITS
  return new Command('bench')
    .description('Measure what the gateway adds to a call, beside a bare pipe to the same local upstream.')
    .option('--calls <n>', 'calls each way, one at a time and again at once', upTo(benchCallsMax), benchCallsDefault)
    .option('--concurrency <n>', 'calls at a time', upTo(benchCallsAtOnceMax), benchCallsAtOnceDefault)
    .option('--seconds <n>', 'begin no call after that', upTo(benchSecondsMax), benchSecondsDefault)
    .option('--stream', 'streams, and the time to their first byte')
    .option(...JSON_OUTPUT)
    .addHelpText('after', HELP)
    .action((options: BenchOptions) => run((signal) => bench(options, signal)))
}

async function bench({ calls, concurrency, seconds, stream, json }: BenchOptions, signal: AbortSignal): Promise<void> {
  const parts = await startParts(prepareConfig().router.variable, signal)
  try {
    const until = performance.now() + seconds * 1_000
    const isOver = () => signal.aborted || performance.now() > until
    const order: BenchOrder = { calls, atOnce: concurrency, isStream: stream === true, isOver }
    const measured = await measure(parts, order)
    signal.throwIfAborted()
    if (measured.firstFailure !== null) throw new Error(`A call failed, ${measured.firstFailure}`)
    if (measured.rounds === 0) throw new Error(`No round was over in ${seconds} s; try fewer --calls.`)
    const report = reportOf(measured, order)
    if (json === true) printJson(report)
    else print(renderReport(report))
    if (report.calls < calls) process.stderr.write(`Only ${report.calls} of ${calls} calls: the time was over.\n`)
  } finally {
    await parts.stop()
  }
}
