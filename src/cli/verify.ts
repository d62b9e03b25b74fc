import { createReadStream } from 'node:fs'
import { Command, type CommanderError } from 'commander'
import {
  createHistory,
  type DocumentJudgement,
  judgeDocument,
  readPins,
  runSelfTest,
  type Verdict,
  worstOf,
} from '../core/proof/index.js'
import { CLI_LIMITS } from './limits.js'
import { assertReadable, boundedStream, readBounded, UsageError } from './verify/bounded-files.js'
import { type JudgedFile, renderFile, renderJson, renderSelfTest, renderSummary } from './verify/render.js'
import { verifierDeps } from './verify/verifier-deps.js'

/** What an exit tells (sysexits has 64 for a wrong command line). */
const EXIT_OF: Record<Verdict, number> = { good: 0, bad: 1, undecided: 2, unwitnessed: 3 }
const EXIT_USAGE = 64

const NOTES = `
FILE is a receipt, {receipt, log_proof}, or an audit package (NDJSON); - is standard input. Nothing is asked of a server.
--keys pins the keys of receipts (a saved /receipts/public-keys.json), --policy the log and its witnesses.

Exit codes: 0 proven good, 1 proven bad, 2 could not be decided, 3 consistent but not witnessed enough, 64 wrong usage.
Of several files the gravest counts: 1, then 2, then 3.`

type Options = {
  keys?: string
  policy?: string
  statements?: string
  proof?: string
  member?: string
  checkpoint?: readonly string[]
  project?: string
  strict?: true
  anyTime?: true
  trustEmbeddedKeys?: true
  json?: true
  explain?: true
  selfTest?: true
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Verify receipts, their place in the log and whole audit packages, offline.')
    .argument('[file...]', 'what to verify; - is standard input')
    .option('--keys <file>', 'the keys that may sign receipts: public-keys.json, saved where you trust it')
    .option('--statements <file>', 'key-statements.ndjson: leads from the pinned keys to those that replaced them')
    .option('--policy <file>', 'the logs and witnesses to rely on (c2sp.org/tlog-policy)')
    .option('--proof <file>', 'the log proof of the one receipt: .tlog-proof, or JSON')
    .option('--member <file>', 'the proof that a batch receipt commits to one logged call')
    .option(
      '--checkpoint <file>',
      'a checkpoint kept from earlier: what contradicts it is proven bad (repeatable)',
      collect,
    )
    .option('--project <id>', 'the project that the receipts have to be of')
    .option('--strict', 'the file itself has to be in its one canonical spelling')
    .option('--any-time', 'when a receipt was issued does not matter: a late checkpoint is fine')
    .option('--trust-embedded-keys', 'rely on keys and policy that come with the file where none are pinned')
    .option('--json', 'print JSON')
    .option('--explain', 'say of each check what it is for')
    .option('--self-test', 'try the verifier on published vectors, which are built in')
    .addHelpText('after', NOTES)
    .exitOverride(leave)
    .action((files: readonly string[], options: Options) => runVerify(files, options))
}

const collect = (path: string, before: readonly string[] = []): readonly string[] => [...before, path]

function leave({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE)
}

async function runVerify(files: readonly string[], options: Options): Promise<void> {
  try {
    process.exitCode = options.selfTest === true ? await selfTest(options) : await verifyFiles(files, options)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = EXIT_USAGE
  }
}

async function selfTest(options: Options): Promise<number> {
  const results = await runSelfTest(verifierDeps())
  process.stdout.write(options.json === true ? `${JSON.stringify({ results })}\n` : renderSelfTest(results))
  return results.every(({ ok }) => ok) ? EXIT_OF.good : EXIT_OF.bad
}

async function verifyFiles(files: readonly string[], options: Options): Promise<number> {
  refuseUsage(files, options)
  const judge = await openJudge(options)
  // Before the first one is judged: a name that was mistyped is not found out after an hour.
  const streams = await Promise.all(files.map(openDocument))
  const judged: JudgedFile[] = []
  for (const [at, file] of files.entries()) {
    const stream = streams[at]
    if (stream === undefined) continue
    const judgement = await judge(stream()).catch((error: unknown) => unreadFile(error))
    const one = { file, judgement }
    judged.push(one)
    if (options.json !== true) process.stdout.write(renderFile(one, { explain: options.explain === true }))
  }
  const verdict = worstOf(judged.map(({ judgement }) => judgement.verdict))
  if (options.json === true) process.stdout.write(renderJson(verdict, EXIT_OF[verdict], judged))
  else if (judged.length > 1) process.stdout.write(renderSummary(judged))
  return EXIT_OF[verdict]
}

function refuseUsage(files: readonly string[], options: Options): void {
  const { keys, policy, proof, member, trustEmbeddedKeys } = options
  if (files.length === 0) throw new UsageError('Name a file to verify, or - for standard input.')
  if (files.filter((file) => file === '-').length > 1) throw new UsageError('Standard input can be read once.')
  if (keys === undefined && policy === undefined && trustEmbeddedKeys !== true) {
    throw new UsageError(
      'Pin whom to rely on: --keys <file> for the keys of receipts, --policy <file> for the log and its witnesses.',
    )
  }
  if (files.length > 1 && (proof !== undefined || member !== undefined)) {
    throw new UsageError('A proof is the proof of one file: verify them one at a time.')
  }
}

async function openJudge(options: Options) {
  const deps = verifierDeps()
  const read = (path: string | undefined) => (path === undefined ? null : readBounded(path, CLI_LIMITS.pinFileBytesMax))
  const [keys, statements, policy, proof, member, ...checkpoints] = await Promise.all([
    read(options.keys),
    read(options.statements),
    read(options.policy),
    read(options.proof),
    read(options.member),
    ...(options.checkpoint ?? []).map((path) => readBounded(path, CLI_LIMITS.pinFileBytesMax)),
  ])
  const pins = await readPins(deps, {
    keys: keys ?? null,
    statements: statements ?? null,
    policy: policy ?? null,
    checkpoints,
  })
  if (!pins.ok) throw new UsageError(`--${pins.what}: ${pins.detail}`)
  const terms = {
    ...pins,
    project: options.project ?? null,
    anyTime: options.anyTime === true,
    strict: options.strict === true,
    trustEmbedded: options.trustEmbeddedKeys === true,
    // One for all files: what one of them says, another may contradict.
    history: createHistory(),
  }
  return (document: AsyncIterable<Uint8Array>): Promise<DocumentJudgement> =>
    judgeDocument(deps, terms, { document, proof: proof ?? null, member: member ?? null })
}

async function openDocument(path: string): Promise<() => AsyncIterable<Uint8Array>> {
  if (path === '-') return () => boundedStream(process.stdin, CLI_LIMITS.auditFileBytesMax)
  await assertReadable(path)
  return () => boundedStream(createReadStream(path), CLI_LIMITS.auditFileBytesMax)
}

/** A file that broke off while it was read tells nothing. */
function unreadFile(error: unknown): DocumentJudgement {
  if (!(error instanceof Error)) throw error
  return {
    kind: 'unreadable',
    verdict: 'undecided',
    trustsEmbedded: false,
    checks: [{ name: 'text', status: 'undecided', detail: `It could not be read: ${error.message}` }],
    counts: { good: 0, bad: 0, undecided: 0, unwitnessed: 0 },
    receipts: [],
    range: null,
  }
}
