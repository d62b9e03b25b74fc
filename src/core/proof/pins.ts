import { isJsonObject, type JsonObject, type JsonValue, parseJsonBytes } from '../json/index.js'
import { type Policy, type ProofDeps, parseNote, parsePolicy, policyBytesMax } from '../tlog/index.js'
import { type CheckpointView, viewCheckpoint } from './judge-log.js'
import type { AuditTerms } from './judge-receipt.js'
import { type PinnedKeys, readKeyDocument } from './key-document.js'
import { followStatements, parseKeyStatements } from './key-statements.js'

/** Bytes of a document of public keys: some 250 a key. */
const keyDocumentBytesMax = 524_288
const KEY_LIMITS = { textCharsMax: keyDocumentBytesMax, nestingLevelsMax: 8 }

/** The files of an auditor's own. */
export type PinFiles = {
  readonly keys: Uint8Array | null
  readonly policy: Uint8Array | null
  /** Checkpoints that were kept from earlier, each a whole note. */
  readonly checkpoints: readonly Uint8Array[]
  /** Statements of changed keys, which lead from the pinned keys to others. */
  readonly statements?: Uint8Array | null
}

export type PinsResult =
  | {
      readonly ok: true
      readonly keys: PinnedKeys | null
      readonly policy: Policy | null
      readonly kept: readonly CheckpointView[]
    }
  | { readonly ok: false; readonly what: 'keys' | 'policy' | 'checkpoint' | 'statements'; readonly detail: string }

/** Reads what an auditor relies on. A fault in these is the auditor's own mistake, and nothing is judged by them. */
export async function readPins(deps: ProofDeps, files: PinFiles): Promise<PinsResult> {
  const keys = files.keys === null ? null : parseKeys(files.keys)
  if (keys?.ok === false) return { ok: false, what: 'keys', detail: keys.detail }
  const stated = files.statements == null ? null : parseKeyStatements(files.statements)
  if (stated?.ok === false) return { ok: false, what: 'statements', detail: stated.detail }
  const policy = files.policy === null ? null : parsePolicy(deps.sha256, files.policy)
  if (policy?.ok === false) return { ok: false, what: 'policy', detail: `Line ${policy.line}: ${policy.reason}.` }
  const kept: CheckpointView[] = []
  for (const file of files.checkpoints) {
    const note = parseNote(file)
    if (!note.ok) return { ok: false, what: 'checkpoint', detail: `It is no signed note (${note.reason}).` }
    const view = await viewCheckpoint(deps, policy?.policy ?? null, note.note)
    if (!view.isSigned) return { ok: false, what: 'checkpoint', detail: view.checks[0]?.detail ?? '' }
    kept.push(view)
  }
  const followed = await followStatements(deps, keys?.keys ?? null, stated?.statements ?? [])
  return { ok: true, keys: followed, policy: policy?.policy ?? null, kept }
}

function parseKeys(bytes: Uint8Array): ReturnType<typeof readKeyDocument> {
  const parsed = parseJsonBytes(bytes, KEY_LIMITS)
  if (!parsed.ok) return { ok: false, detail: `It is not one clear JSON text (${parsed.reason}).` }
  return readKeyDocument(parsed.value)
}

/** Fills in what is not pinned from what came with a file; `embedded` says whether any of it was used. */
export function embeddedTerms<Terms extends AuditTerms>(
  deps: ProofDeps,
  terms: Terms,
  { keys, policy }: { readonly keys?: JsonValue; readonly policy?: JsonValue } & JsonObject,
): Terms & { readonly embedded: boolean } {
  const ownKeys = terms.keys === null && isJsonObject(keys) ? readKeyDocument(keys) : null
  const bytes = typeof policy === 'string' && policy.length <= policyBytesMax ? new TextEncoder().encode(policy) : null
  const ownPolicy = terms.policy === null && bytes !== null ? parsePolicy(deps.sha256, bytes) : null
  return {
    ...terms,
    keys: ownKeys?.ok ? ownKeys.keys : terms.keys,
    policy: ownPolicy?.ok ? ownPolicy.policy : terms.policy,
    embedded: ownKeys?.ok === true || ownPolicy?.ok === true,
  }
}
