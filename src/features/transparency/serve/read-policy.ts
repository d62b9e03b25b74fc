import { readFile, stat } from 'node:fs/promises'
import { type Policy, parsePolicy, policyBytesMax } from '../../../core/tlog/index.js'
import { ConfigurationError } from '../../../platform/configuration-error.js'
import { sha256 } from '../../../platform/sha256.js'
import { createLogSigner } from '../log-key.js'

/**
 * The witnesses of a policy file, and the quorum that this log is said to reach. Throws `ConfigurationError` if it is
 * none, has no witness with a URL, or knows this log by another key.
 */
export async function readLogPolicy(path: string, origin: string, seed: Uint8Array): Promise<Policy> {
  const { key: logKey } = createLogSigner(origin, seed)
  const refuse = (what: string) => new ConfigurationError(`LLMRING_TLOG_POLICY_FILE: ${path} ${what}`)
  const bytes = await readBounded(path).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`cannot be read (${error.code})`)
  })
  const parsed = parsePolicy(sha256, bytes)
  if (!parsed.ok) throw refuse(`is no policy: ${parsed.reason}${parsed.line === 0 ? '' : ` in line ${parsed.line}`}`)
  const { policy } = parsed
  const isOther = policy.logs.some(({ key }) => key.name === logKey.name && key.id !== logKey.id)
  if (isOther) throw refuse(`has another key for the log '${logKey.name}'`)
  const reachable = policy.witnesses.filter(({ url }) => url !== null)
  if (reachable.length === 0) throw refuse('has no witness with a URL: witness <a name> <key> <url>')
  for (const { name, url } of reachable) {
    if (!isHttp(url ?? '')) throw refuse(`has no http or https URL for the witness '${name}'`)
  }
  return policy
}

async function readBounded(path: string): Promise<Uint8Array> {
  const { size } = await stat(path)
  return size > policyBytesMax ? new Uint8Array(policyBytesMax + 1) : readFile(path)
}

const isHttp = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
