import { createHash } from 'node:crypto'
import { z } from 'zod'
import { indexModels, type ModelIndex } from '../../core/pricing/index.js'
import { nestsDeeperThan } from '../../http/body/json-guard.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { ProviderName, ProviderTarget, Target } from './providers.js'

/** Where a file is from: the origin (now or earlier, through whatever cache), or this program's own bundled facts. */
export type FileSource = 'origin' | 'bundled'

/** A file as the origin served it: its bytes are never changed. */
export type RegistryFile = {
  readonly source: FileSource
  readonly target: Target
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly sha256: string
}

/** A provider's file that proved to be one. `updatedAt` is in milliseconds since the epoch, null if it says nothing. */
export type ProviderFile = RegistryFile & {
  readonly provider: ProviderName
  readonly version: number
  readonly updatedAt: number | null
  readonly index: ModelIndex
}

export type ReadResult<File> =
  | { readonly ok: true; readonly file: File }
  | { readonly ok: false; readonly reason: string }

/** Parses a file for its target, or says why it is not what was asked for. */
export type Read<File> = (bytes: Uint8Array<ArrayBuffer>) => ReadResult<File>

const ProviderHead = z.object({
  provider: z.string(),
  version: z.int().min(1).max(2_147_483_647),
  updated_at: z.unknown().optional(),
})
const Manifest = z.object({ providers: z.record(z.string(), z.unknown()).refine((all) => Object.keys(all).length > 0) })

/**
 * Reads a provider's file: an object that names this provider, has a whole version (the archived one, if one was
 * asked for) and at least one model. Everything else in it is passed on as it stands, because fields come and go.
 */
export function readProviderFile(target: ProviderTarget, bytes: Uint8Array<ArrayBuffer>): ReadResult<ProviderFile> {
  const json = parseJson(bytes)
  if (!json.ok) return json
  const head = ProviderHead.safeParse(json.file)
  if (!head.success) return refused('it is not a provider file: provider or version is missing or wrong')
  const { provider, version, updated_at: updatedAt } = head.data
  if (provider !== target.provider) return refused('it is the file of another provider')
  if (target.version !== null && version !== target.version) return refused(`it says that it is version ${version}`)
  const indexed = indexModels(json.file)
  if (!indexed.ok) return refused(`its models cannot be read: ${indexed.reason}`)
  if (indexed.index.byKey.size === 0) return refused('it has no models')
  const file = { source: 'origin', target, bytes, sha256: sha256Of(bytes), provider: target.provider, version } as const
  return { ok: true, file: { ...file, updatedAt: instantOf(updatedAt), index: indexed.index } }
}

/**
 * Reads the manifest: an object that names providers, which no other document does. Nothing here depends on what else it
 * says.
 */
export function readManifest(target: Target, bytes: Uint8Array<ArrayBuffer>): ReadResult<RegistryFile> {
  const json = parseJson(bytes)
  if (!json.ok) return json
  if (!Manifest.safeParse(json.file).success) return refused('it is not a manifest: it names no providers')
  return { ok: true, file: { source: 'origin', target, bytes, sha256: sha256Of(bytes) } }
}

function parseJson(bytes: Uint8Array): ReadResult<unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (nestsDeeperThan(text, REGISTRY_LIMITS.jsonDepthMax)) return refused('it nests too deeply')
    return { ok: true, file: JSON.parse(text) as unknown }
  } catch {
    return refused('it is not JSON')
  }
}

const refused = (reason: string) => ({ ok: false, reason }) as const

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const ISO_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/

/** The origin writes times without a zone: they are UTC. */
function instantOf(value: unknown): number | null {
  const match = typeof value === 'string' ? ISO_INSTANT.exec(value) : null
  if (match === null) return null
  const milliseconds = Date.parse(match[1] === undefined ? `${match[0]}Z` : match[0])
  return Number.isNaN(milliseconds) ? null : milliseconds
}
