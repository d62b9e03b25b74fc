import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  formatTilePath,
  hashLeaf,
  type NoteKey,
  openCheckpoint,
  parseCheckpoint,
  parseEntryBundle,
  parseLogProof,
  parseNote,
  parseNoteKey,
  parsePolicy,
  readRoot,
  verifyConsistency,
  verifyInclusion,
  verifyLogProof,
} from '../../src/core/tlog/index.js'
import { createNodeVerifier } from '../../src/platform/node-ed25519.js'
import { sha256 } from '../../src/platform/sha256.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { newEntry } from '../support/log-instance.js'
import { type RunningService, startService } from '../support/service.js'

const LEAVES = 600

let database: TestDatabase
let service: RunningService
let key: NoteKey
const entries = Array.from({ length: LEAVES }, newEntry)

beforeAll(async () => {
  database = await cloneDatabase()
  // Without a key for receipts: its statement would be the first entry.
  service = await startService({ LLMRING_DATABASE_URL: database.url, LLMRING_RECEIPTS_PRIVATE_KEY_B64: '' })
  const parsed = parseNoteKey(sha256, (await service.call('/log/vkey', { key: null })).text.trimEnd())
  if (!parsed.ok) throw new Error(parsed.reason)
  key = parsed.key
  await append(entries)
})
afterAll(async () => {
  await service?.close()
  await database?.drop()
})

async function append(added: readonly Uint8Array[]): Promise<void> {
  const { resources, transparency } = service.service
  await resources.transact((tx) => transparency.log.append(tx, added))
  expect(await transparency.log.waitLogged(added.at(-1) ?? newEntry(), 20_000)).toBe(true)
}

const get = (path: string, headers: Record<string, string> = {}) => service.call(path, { key: null, headers })
const bytesOf = async (path: string) => {
  const answer = await fetch(`${service.url}${path}`)
  return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) }
}

async function checkpoint() {
  const answer = await get('/log/checkpoint')
  const note = parseNote(Buffer.from(answer.text))
  if (!note.ok) throw new Error(note.reason)
  const opened = await openCheckpoint(createNodeVerifier(), { logs: [key], witnesses: [] }, note.note)
  if (!opened.ok) throw new Error(opened.reason)
  return { answer, ...opened.checkpoint }
}

/** Tiles as a stranger reads them. */
const readTiles = (tiles: readonly { level: number; index: number; width: number }[]) =>
  Promise.all(tiles.map(async (tile) => (await bytesOf(`/log/${formatTilePath(tile)}`)).bytes))

describe('the checkpoint', () => {
  it('is signed by the published key, and may be kept for a moment', async () => {
    const { answer, size } = await checkpoint()
    expect(size).toBe(LEAVES)
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=2')
    const etag = answer.headers.get('etag') ?? ''
    expect((await get('/log/checkpoint', { 'If-None-Match': etag })).status).toBe(304)
    expect((await get('/log/checkpoint', { 'If-None-Match': '"other"' })).status).toBe(200)
  })

  it('is answered from memory', async () => {
    const before = service.laneAnswers()
    await get('/log/checkpoint')
    expect(service.laneAnswers()).toBe(before + 1)
  })
})

describe('tiles', () => {
  it('have the root of the checkpoint, and of every smaller tree', async () => {
    const { size, root } = await checkpoint()
    expect(await readRoot({ sha256, readTiles }, size)).toEqual({ ok: true, root })
    for (const smaller of [1, 255, 256, 257, 512, 599]) {
      expect(await readRoot({ sha256, readTiles }, smaller)).toMatchObject({ ok: true })
    }
  })

  it('hold the hashes of the entries, which bundles hold', async () => {
    for (const [path, from, width] of [
      ['000', 0, 256],
      ['001', 256, 256],
      ['002.p/88', 512, 88],
      ['002.p/7', 512, 7],
    ] as const) {
      const { bytes } = await bytesOf(`/log/tile/entries/${path}`)
      const bundle = parseEntryBundle(bytes, width)
      const found = bundle.ok ? bundle.entries.map((entry) => Buffer.from(entry).toString('hex')) : bundle.reason
      expect(found).toEqual(entries.slice(from, from + width).map((entry) => Buffer.from(entry).toString('hex')))
      const hashes = entries.slice(from, from + width).map((entry) => Buffer.from(hashLeaf(sha256, entry)))
      expect(Buffer.concat(hashes).equals((await bytesOf(`/log/tile/0/${path}`)).bytes)).toBe(true)
    }
  })

  it('may be kept for ever, and full ones are answered from memory once they were read', async () => {
    for (const path of ['/log/tile/0/000', '/log/tile/1/000.p/2', '/log/tile/entries/000.p/3']) {
      const { answer } = await bytesOf(path)
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(answer.headers.get('content-type')).toBe('application/octet-stream')
    }
    const before = service.laneAnswers()
    const { bytes } = await bytesOf('/log/tile/0/000')
    expect([bytes.length, service.laneAnswers()]).toEqual([8_192, before + 1])
  })

  it.each([
    ...['0/002', '0/002.p/89', '0/003', '1/000', '1/000.p/3', '2/000.p/1', '63/000.p/1', 'entries/002.p/89'],
    ...[
      '0/000.p/256',
      '0/000.p/0',
      '0/000.p/01',
      '0/0',
      '0/x000/000',
      '0/x000',
      '64/000',
      '00/000',
      '0/000.p',
      '-1/000',
    ],
    ...['0/000.p/1/2', 'entries/1', '0/x1/000', '0/9007199254740993', '0/x009/x007/x199/x254/x740/993'],
  ])('that are not there are not found: %s', async (path) => {
    const { answer, bytes } = await bytesOf(`/log/tile/${path}`)
    expect(answer.status).toBe(404)
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ code: 'not-found' })
  })
})

describe('a proof', () => {
  const entry = entries[321] as Uint8Array
  const hex = Buffer.from(entry).toString('hex')

  it('of an entry is a file that proves it, by hexadecimal digits and by base64url', async () => {
    const { size, root } = await checkpoint()
    for (const hash of [hex, Buffer.from(entry).toString('base64url')]) {
      const answer = await get(`/log/proof?hash=${hash}`)
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
      const parsed = parseLogProof(Buffer.from(answer.text))
      if (!parsed.ok) throw new Error(parsed.reason)
      const { index, proof } = parsed.logProof
      expect(index).toBe(321)
      const claim = { leaf: hashLeaf(sha256, entry), index, size, root, proof }
      expect(verifyInclusion(sha256, claim)).toEqual({ ok: true })
    }
  })

  it('of an entry is JSON for whoever prefers it', async () => {
    const answer = await get(`/log/proof?hash=${hex}`, { Accept: 'text/plain;q=0.5, application/json' })
    const { index, proof, checkpoint: note } = answer.json as { index: number; proof: string[]; checkpoint: string }
    const parsed = parseNote(Buffer.from(note))
    const head = parseCheckpoint(parsed.ok ? parsed.note.text : '')
    if (!head.ok) throw new Error(head.reason)
    const hashes = proof.map((hash) => new Uint8Array(Buffer.from(hash, 'base64')))
    const claim = { leaf: hashLeaf(sha256, entry), index, proof: hashes, ...head.checkpoint }
    expect(verifyInclusion(sha256, claim)).toEqual({ ok: true })
  })

  it('of what was never logged is not found, and of what is no hash is not asked for', async () => {
    expect(await get(`/log/proof?hash=${'0'.repeat(64)}`)).toMatchObject({ status: 404, json: { code: 'not-found' } })
    for (const hash of ['', 'x', hex.toUpperCase(), hex.slice(1), `${'A'.repeat(42)}B`]) {
      expect((await get(`/log/proof?hash=${hash}`)).status).toBe(422)
    }
  })

  it('of what is pending comes later', async () => {
    const pending = createHash('sha256').update('pending').digest()
    const { resources } = service.service
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const held = resources.transact(async (tx) => {
      await service.service.transparency.log.append(tx, [pending])
      await released
    })
    const path = `/log/proof?hash=${pending.toString('hex')}`
    expect((await get(path)).status).toBe(404)
    release()
    await held
    const seen = new Set<number>()
    await eventually(async () => {
      const answer = await get(path)
      seen.add(answer.status)
      if (answer.status === 409) expect(answer).toMatchObject({ json: { code: 'not-logged-yet' } })
      expect(answer.status).toBe(200)
    })
    expect([...seen].filter((status) => status !== 409 && status !== 200)).toEqual([])
  })

  it('of consistency holds between any two sizes', async () => {
    const at = async (size: number) => {
      const read = await readRoot({ sha256, readTiles }, size)
      if (!read.ok) throw new Error(read.reason)
      return { size, root: read.root }
    }
    for (const [from, to] of [
      [0, 600],
      [1, 600],
      [256, 512],
      [300, 599],
      [600, 600],
    ] as const) {
      const { json } = await get(`/log/consistency?from=${from}&to=${to}`)
      const proof = (json as { proof: string[] }).proof.map((hash) => new Uint8Array(Buffer.from(hash, 'base64')))
      expect(json).toMatchObject({ from, to })
      expect(verifyConsistency(sha256, await at(from), await at(to), proof)).toEqual({ ok: true })
    }
    const { size } = await checkpoint()
    expect((await get('/log/consistency?from=300')).json).toMatchObject({ from: 300, to: size })
  })

  it.each([
    'from=5&to=4',
    'from=0&to=999999',
    'from=999999',
    'from=-1',
    'from=1.0',
    'from=01',
    'from=9007199254740993',
  ])('of consistency between sizes that are none is refused: %s', async (query) => {
    expect(await get(`/log/consistency?${query}`)).toMatchObject({ status: 422, json: { code: 'validation-failed' } })
  })
})

describe('the policy', () => {
  it('names the key and says how a rollback is noticed', async () => {
    const { text } = await get('/log/policy')
    expect(text).toMatch(/^# guard against rollbacks: file$/m)
    const parsed = parsePolicy(sha256, Buffer.from(text))
    expect(parsed.ok && parsed.policy.logs.map((log) => log.key)).toEqual([key])
    const proof = await get(`/log/proof?hash=${Buffer.from(entries[0] as Uint8Array).toString('hex')}`)
    const file = parseLogProof(Buffer.from(proof.text))
    if (!parsed.ok || !file.ok) throw new Error('no policy or no proof')
    const deps = { sha256, ...createNodeVerifier() }
    expect(await verifyLogProof(deps, parsed.policy, entries[0] as Uint8Array, file.logProof)).toMatchObject({
      ok: true,
    })
  })
})

describe('a service without a key for a log', () => {
  it('has no log', async () => {
    const none = { LLMRING_TLOG_PRIVATE_KEY_B64: '', LLMRING_RECEIPTS_PRIVATE_KEY_B64: '', LLMRING_TLOG_GUARD: '' }
    const bare = await startService({ LLMRING_DATABASE_URL: database.url, ...none })
    try {
      for (const path of ['/log/checkpoint', '/log/vkey', '/log/tile/0/000']) {
        expect((await bare.call(path, { key: null })).status).toBe(404)
      }
      expect((await bare.call('/readyz', { key: null })).status).toBe(200)
    } finally {
      await bare.close()
    }
  })
})
