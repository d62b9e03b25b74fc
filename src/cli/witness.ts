import { Command, InvalidArgumentError } from 'commander'
import type { NoteKey } from '../core/tlog/index.js'
import { checkAddress } from '../http/listen/free-address.js'
import { listen } from '../http/listen/server.js'
import { createServiceLogger } from '../platform/logger.js'
import { CLI_LIMITS } from './limits.js'
import { NotConfigured } from './not-configured.js'
import { runToItsEnd } from './prepare.js'
import { readLogKey, readPolicyFile } from './read-policy.js'
import { listenForStop } from './stop-signals.js'
import { createWitnessListener } from './witness/listener.js'
import { openWitness, type WitnessOptions } from './witness/open-witness.js'

type Address = { readonly host: string; readonly port: number }
type Options = WitnessOptions & {
  readonly listen: Address
  readonly log: readonly NoteKey[]
  readonly policy?: string
  readonly json?: boolean
}

const NOTES = `
Cosigns checkpoints of the logs that it knows (c2sp.org/tlog-witness), each only if its tree grew from the one that was
cosigned last: so a log cannot show one tree to some and another tree to others. Needs no database.
A log's key stands at its /log/vkey, the witness's own at /vkey and in the first line; it goes into the log's policy file:
  witness <a name> <key> <url>
The state must never go back: do not restore it from a backup, and never run two witnesses with one key.
Exit codes: 0 stopped, 75 the state is in use, 78 a key, state or policy is wrong.`

export function witnessCommand(): Command {
  return new Command('witness')
    .description("Run a witness: it cosigns other logs' checkpoints as long as their trees only grow.")
    .requiredOption('--state <file>', 'what it cosigned last; made on the first start')
    .requiredOption('--listen <host:port>', 'where to answer', readAddress)
    .option('--key <file>', 'its private key, made on the first start (default: the state file with .key)')
    .option('--name <name>', 'the name of its key, like a web address without a scheme (default: from the key)')
    .option('--log <vkey>', 'the key of a log to witness; may be given more than once', collectLogKey, [])
    .option('--policy <file>', 'a policy file, whose logs are witnessed')
    .option('--new-state', 'begin with a key that is there already and has never cosigned anything')
    .option('--json', 'write log lines as JSON even on a terminal')
    .addHelpText('after', NOTES)
    .action((options: Options) => runToItsEnd(() => witness(options)))
}

async function witness(options: Options): Promise<void> {
  const logs = [...options.log, ...(options.policy === undefined ? [] : await logsOf(options.policy))]
  if (logs.length === 0) throw new NotConfigured('No log to witness: give --log <vkey> or --policy <file>.')
  const { host, port } = options.listen
  const { logger, flush } = await createServiceLogger('info', process.stdout.isTTY && options.json !== true)
  const stop = listenForStop()
  try {
    await checkAddress(host, port, { host: '--listen', port: '--listen' })
    const { name, keyText, add, close } = await openWitness(options, logs)
    try {
      const server = await listen(createWitnessListener({ keyText, add, logger }), host, port, SERVER_LIMITS)
      process.stderr.write(`witness ${name} answers at ${server.url}\n  key ${keyText}\n`)
      const origins = [...new Set(logs.map((log) => log.name))]
      logger.info({ url: server.url, key: keyText, logs: origins }, 'witnessing')
      logger.info({ signal: await stop.asked }, 'stopping')
      await server.drain(CLI_LIMITS.witnessDrainMsMax)
    } finally {
      await close()
    }
  } finally {
    stop.forget()
    flush()
  }
}

const SERVER_LIMITS = {
  connectionsMax: CLI_LIMITS.witnessConnectionsMax,
  connectionsPerAddressMax: CLI_LIMITS.witnessConnectionsPerAddressMax,
  headersMsMax: CLI_LIMITS.witnessRequestMsMax,
  requestMsMax: CLI_LIMITS.witnessRequestMsMax,
} as const

async function logsOf(path: string): Promise<NoteKey[]> {
  return (await readPolicyFile(path)).logs.map(({ key }) => key)
}

function readAddress(text: string): Address {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) throw new InvalidArgumentError('It must be host:port, such as 127.0.0.1:9100.')
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port }
}

function collectLogKey(text: string, before: readonly NoteKey[]): NoteKey[] {
  const key = readLogKey(text)
  if (key === null) throw new InvalidArgumentError("It must be a log's verifier key: name+hex+base64.")
  return [...before, key]
}
