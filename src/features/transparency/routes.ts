import { PUBLIC } from '../../access/principal.js'
import {
  formatLogProof,
  formatNoteKey,
  formatPolicy,
  type NoteKey,
  type Policy,
  parseNote,
} from '../../core/tlog/index.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { matchesEtag } from '../../http/etag.js'
import type { WarmResponse } from '../../http/listen/warm-lane.js'
import { plainBytes, plainJson } from '../../http/response.js'
import { invariant } from '../../platform/invariant.js'
import { TRANSPARENCY_LIMITS } from './limits.js'
import type { PublishedCheckpoint } from './published.js'
import { ConsistencyQuery, ConsistencySchema, LogProofSchema, ProofQuery, TileParams } from './schema.js'
import { preferredProof, TEXT_TYPE } from './serve/preferred-proof.js'
import type { ConsistencyProof } from './serve/prove-entry.js'
import type { EntryProof } from './transparency-log.js'

export type LogVerbs = {
  readonly currentCheckpoint: () => PublishedCheckpoint
  readonly witnessedCheckpoint: () => Promise<ShownCheckpoint>
  /** By its path below `/log/`. */
  readonly serveTile: (path: string) => Promise<Uint8Array<ArrayBuffer>>
  readonly recallTile: (path: string) => Uint8Array<ArrayBuffer> | undefined
  readonly proveHash: (entry: Uint8Array) => Promise<EntryProof>
  readonly proveConsistency: (range: {
    readonly from: number
    readonly to: number | undefined
  }) => Promise<ConsistencyProof>
}

type ShownCheckpoint = Pick<PublishedCheckpoint, 'note' | 'etag'>

export type LogFacts = {
  readonly key: NoteKey
  /** How a rollback is noticed. */
  readonly guard: string
  /** Who is asked to cosign. */
  readonly policy: Policy | null
}

const COMMON = { method: 'get', tag: 'Log', access: PUBLIC } as const
const IMMUTABLE = 'public, max-age=31536000, immutable'
const TILE_HEADERS = { 'Content-Type': 'application/octet-stream', 'Cache-Control': IMMUTABLE }

/** Declares the routes of the log, which are all public (c2sp.org/tlog-tiles). */
export function mountLog(app: App, guards: Guards, verbs: LogVerbs, facts: LogFacts): void {
  mountCheckpoint(app, guards, verbs)
  mountTiles(app, guards, verbs)
  mountFacts(app, guards, facts)
  mountProofs(app, guards, verbs)
}

const CHECKPOINT_RESPONSES = {
  200: { description: 'The signed note.', contentType: 'text/plain' },
  304: { description: 'The client has it already (`If-None-Match`).' },
} as const

function mountCheckpoint(app: App, guards: Guards, { currentCheckpoint, witnessedCheckpoint }: LogVerbs): void {
  mount(app, guards, {
    ...COMMON,
    path: '/log/checkpoint',
    operationId: 'getLogCheckpoint',
    summary: 'The newest checkpoint of the log: its size and root hash, signed',
    description:
      'Never older than an answer that this instance has given. What another instance has published is shown as soon as it is heard of, which takes milliseconds; each instance also looks once a second (1.1 s at most, and the look itself), so that a notification which is lost delays it by no more than that.',
    responses: CHECKPOINT_RESPONSES,
    problems: ['log-suspended'],
    warm: ({ query, ifNoneMatch }) => (query === '' ? checkpointResponse(currentCheckpoint(), ifNoneMatch) : undefined),
    handle: ({ header }) => checkpointResponse(currentCheckpoint(), header('if-none-match')),
  })
  mount(app, guards, {
    ...COMMON,
    path: '/log/checkpoint/witnessed',
    operationId: 'getWitnessedLogCheckpoint',
    summary: 'The newest checkpoint that enough witnesses cosigned',
    description:
      'Enough is what the quorum of `/log/policy` asks for. The checkpoints of a busy log are younger than what its witnesses were asked; this one is a second or two older, and has their lines. Without witnesses it is the newest checkpoint.',
    responses: CHECKPOINT_RESPONSES,
    problems: ['not-found', 'log-suspended'],
    handle: async ({ header }) => checkpointResponse(await witnessedCheckpoint(), header('if-none-match')),
  })
}

function checkpointResponse({ note, etag }: ShownCheckpoint, ifNoneMatch: string | undefined): WarmResponse {
  const headers = { ETag: etag, 'Cache-Control': `public, max-age=${TRANSPARENCY_LIMITS.checkpointCacheSeconds}` }
  if (matchesEtag(ifNoneMatch, etag)) return { status: 304, headers, body: null }
  const length = String(note.byteLength)
  return { status: 200, headers: { ...headers, 'Content-Type': TEXT_TYPE, 'Content-Length': length }, body: note }
}

function mountTiles(app: App, guards: Guards, verbs: LogVerbs): void {
  mount(app, guards, {
    ...COMMON,
    path: '/log/tile/{level}/{index}',
    isDeep: true,
    operationId: 'getLogTile',
    summary: 'A tile of hashes, or (level `entries`) a bundle of entries',
    description:
      'As c2sp.org/tlog-tiles says. The index comes in groups of three digits with slashes between them, `x001/x234/067`, and `.p/<width>` follows for a partial tile. A tile holds up to 256 hashes of 32 bytes; a bundle holds as many entries, each behind its length as two bytes.',
    params: TileParams,
    responses: { 200: { description: 'The bytes.', contentType: 'application/octet-stream' } },
    problems: ['not-found', 'log-suspended'],
    warm: ({ query, segment = '' }) => {
      const tile = query === '' ? verbs.recallTile(`tile/${segment}`) : undefined
      return tile === undefined ? undefined : plainBytes(tile, TILE_HEADERS)
    },
    handle: async ({ params: { level, index } }) =>
      plainBytes(await verbs.serveTile(`tile/${level}/${index}`), TILE_HEADERS),
  })
}

function mountFacts(app: App, guards: Guards, { key, guard, policy: witnessed }: LogFacts): void {
  const vkey = `${formatNoteKey(key)}\n`
  const { witnesses, groups, quorum } = witnessed ?? { witnesses: [], groups: [], quorum: null }
  const policy = formatPolicy({ logs: [{ key, url: null }], witnesses, groups, quorum })
  const facts = [
    ['/log/vkey', 'getLogKey', 'The key by which the log’s checkpoints are verified', vkey],
    [
      '/log/policy',
      'getLogPolicy',
      'Who signs and cosigns checkpoints',
      `# guard against rollbacks: ${guard}\n${policy}`,
    ],
  ] as const
  for (const [path, operationId, summary, text] of facts) {
    mount(app, guards, {
      ...{ ...COMMON, path, operationId, summary },
      responses: { 200: { description: 'Text, as C2SP defines it.', contentType: 'text/plain' } },
      handle: () => plainBytes(text, { 'Content-Type': TEXT_TYPE }),
    })
  }
}

const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64')

function mountProofs(app: App, guards: Guards, verbs: LogVerbs): void {
  mount(app, guards, {
    ...COMMON,
    path: '/log/proof',
    operationId: 'getLogProof',
    summary: 'That an entry is in the log, for whoever holds a receipt',
    description:
      'The proof holds under the checkpoint that comes with it: a `.tlog-proof` file (c2sp.org/tlog-proof), or JSON if `Accept` prefers it.',
    query: ProofQuery,
    responses: {
      200: { description: 'The proof.', schema: LogProofSchema, contentType: ['text/plain', 'application/json'] },
    },
    problems: ['not-found', 'not-logged-yet', 'log-suspended'],
    handle: async ({ query, header }) => {
      const proof = await verbs.proveHash(query.hash)
      return preferredProof(header('accept')) === 'json' ? jsonProof(proof) : textProof(proof)
    },
  })
  mount(app, guards, {
    ...COMMON,
    path: '/log/consistency',
    operationId: 'getLogConsistency',
    summary: 'That the log of one size begins with the log of a smaller one',
    query: ConsistencyQuery,
    responses: { 200: { description: 'The proof (RFC 6962 section 2.1.2).', schema: ConsistencySchema } },
    problems: ['log-suspended'],
    handle: async ({ query }) => {
      const { from, to, proof } = await verbs.proveConsistency({ from: query.from ?? 0, to: query.to })
      return plainJson({ from, to, proof: proof.map(base64) })
    },
  })
}

function jsonProof({ index, proof, checkpoint }: EntryProof): WarmResponse {
  return plainJson({ index, proof: proof.map(base64), checkpoint: new TextDecoder().decode(checkpoint) })
}

function textProof({ index, proof, checkpoint }: EntryProof): WarmResponse {
  const parsed = parseNote(checkpoint)
  invariant(parsed.ok, 'a published checkpoint is a note')
  const bytes = formatLogProof({ extra: null, index, proof, checkpoint: parsed.note })
  return plainBytes(new Uint8Array(bytes), { 'Content-Type': TEXT_TYPE })
}
