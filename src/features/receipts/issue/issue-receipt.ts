import { createHash } from 'node:crypto'
import type { ProjectId } from '../../../access/principal.js'
import { canonicalJson } from '../../../core/json/index.js'
import {
  buildReceipt,
  draftReceipt,
  type Evidence,
  type ReceiptPayload,
  sealReceipt,
} from '../../../core/proof/index.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import type { SigningKey } from '../keys/signing-keys.js'
import type { ReceiptLog } from '../log-port.js'
import { sameBytes } from '../receipt.js'
import { invalid, refusePayload } from '../refusal.js'
import type { Keep } from './keep-receipt.js'

/**
 * The version of a provider's registry file that prices are taken from now, like `openai@7`; that of the whole registry
 * (`anthropic@9+openai@7`) if the provider is not given or not in it; null if no version is known.
 */
export type CurrentRegistryVersion = (provider: string | undefined) => string | null

export type IssueDeps = {
  readonly key: SigningKey | null
  readonly clock: Clock
  /** The log's origin. */
  readonly issuer: string
  readonly newId: () => string
  readonly currentRegistryVersion: CurrentRegistryVersion
  readonly log: Pick<ReceiptLog, 'promise' | 'refuseWhileSuspended'>
  readonly keep: Keep
}

/** What the client says of its call; `null` members are left out. */
export type ReceiptClaims = Omit<ReceiptPayload, 'registry_version'> & {
  readonly registry_version?: string | undefined
}

const MODEL_WITH_PROVIDER = /^([^:]{1,64}):./

/**
 * Signs a receipt over a client's claims, keeps it, and gives its canonical bytes. With an id of the client's choice
 * the call is idempotent: the same claims again give the kept receipt, others throw `conflict`. Throws
 * `receipts-not-configured`, `log-suspended`, `validation-failed`, and what `Keep` throws.
 *
 * Everything that can be refused is refused here, before the receipt has its place in the project's chain. It is
 * signed at that place, and a receipt that was signed and could not be kept never leaves the process.
 */
export async function issueReceipt(
  deps: IssueDeps,
  projectId: ProjectId,
  claims: ReceiptClaims,
  evidence: Evidence = 'client_reported',
): Promise<Uint8Array> {
  const { key, log } = deps
  const sign = key?.sign
  if (key === null || sign == null) {
    throw new AppError('receipts-not-configured', 'No private key is configured here, so no receipts can be issued.')
  }
  log.refuseWhileSuspended()
  const payload = { ...claims, registry_version: claims.registry_version ?? registryVersion(deps, claims) }
  const built = buildReceipt(payload, {
    now: new Date(deps.clock()),
    issuer: deps.issuer,
    project: projectId,
    log: log.promise,
    evidence,
    keyId: key.keyId,
    id: deps.newId(),
  })
  if (!built.ok) throw refusePayload(built)
  const drafted = draftReceipt(built.receipt)
  if (!drafted.ok) throw refusePayload(drafted)
  const { draft } = drafted
  const { id } = built.receipt
  const requestSha256 = claims.id === undefined ? null : hashClaims(claims)
  const outcome = await deps.keep({
    projectId,
    id,
    kind: 'issued',
    keyId: key.keyId,
    requestSha256,
    legacyRule: null,
    isIdChosen: claims.id !== undefined,
    bytes: draft.bytesMax,
    seal: (at) => sealReceipt({ sign }, draft, at),
  })
  if (outcome.status === 'kept') return outcome.canonical
  const { by } = outcome
  if (by.kind === 'issued' && sameBytes(by.requestSha256, requestSha256)) return by.canonical
  throw idTaken(id, by.canonical)
}

/** `conflict`, with the receipt that has the id. */
export function idTaken(id: string, canonical: Uint8Array): AppError {
  const current: unknown = JSON.parse(Buffer.from(canonical).toString('utf8'))
  return new AppError('conflict', `Another receipt has the id '${id}' already.`, { current })
}

function registryVersion(deps: IssueDeps, claims: ReceiptClaims): string {
  const provider = claims.provider ?? MODEL_WITH_PROVIDER.exec(claims.model)?.[1]
  const version = deps.currentRegistryVersion(provider)
  if (version !== null) return version
  throw invalid('/registry_version', 'is required as long as no registry is known here')
}

/** Over the claims as they were sent, not as they are completed here: the registry may be newer at the second try. */
function hashClaims(claims: ReceiptClaims): Uint8Array {
  const { key_id: _, ...said } = claims
  const present = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  const canonical = canonicalJson(present)
  if (!canonical.ok) throw refusePayload(canonical)
  return createHash('sha256').update(canonical.bytes).digest()
}
