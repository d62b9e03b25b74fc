import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Hold, holdAlone } from '../../src/cli/hold-alone.js'
import { createAddCheckpoint } from '../../src/cli/witness/add-checkpoint.js'
import { createWitnessState, makeState, tidyUp, type WitnessState } from '../../src/cli/witness/state.js'
import { formatState, parseState } from '../../src/cli/witness/state-text.js'
import type { Checkpoint } from '../../src/core/tlog/index.js'
import { makeNoteKey } from '../../src/core/tlog/index.js'
import { SignedLog } from '../support/signed-log.js'
import { nodeVerifier, signerOfByte } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-state-'))
  path = join(directory, 'state')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const checkpoint = (origin: string, size: number): Checkpoint => ({
  origin,
  size,
  root: new Uint8Array(32).fill(size % 256),
})
const headsOf = (...heads: readonly Checkpoint[]) => new Map(heads.map((head) => [head.origin, head]))

describe('the state of a witness', () => {
  test('is text in one spelling', () => {
    const heads = headsOf(checkpoint('a.example/log', 0), checkpoint('b.example/log', 2 ** 53 - 1))
    const text = formatState(heads)
    expect(parseState(text)).toEqual(heads)
    expect(parseState(formatState(new Map()))).toEqual(new Map())
    const wrong = [
      '',
      '\n',
      text.slice(0, -1),
      `${text}\n`,
      text.replace('/v1', '/v2'),
      text.replace('\n0\n', '\n00\n'),
      text.replace('\n0\n', '\n-1\n'),
      text.replace('\n9007199254740991\n', '\n9007199254740992\n'),
      text.replace('a.example/log', 'a.example log'),
      // One log has one head.
      text.replace('a.example/log', 'b.example/log'),
      text.replace('=\n', '\n'),
      text.replaceAll('\n', '\r\n'),
      text.split('\n').slice(0, -2).join('\n'),
    ]
    for (const one of wrong) expect([one, parseState(one)]).toEqual([one, null])
  })

  test('is on the disk once it is kept, for itself and beside the heads of other logs', async () => {
    await makeState(path)
    const state = createWitnessState(path)
    await state.keep(checkpoint('a.example/log', 5))
    await state.keep(checkpoint('b.example/log', 7))
    await state.keep(checkpoint('a.example/log', 9))
    const heads = headsOf(checkpoint('a.example/log', 9), checkpoint('b.example/log', 7))
    expect(await readFile(path, 'utf8')).toBe(formatState(heads))
    expect(await createWitnessState(path).head('a.example/log')).toEqual(checkpoint('a.example/log', 9))
    expect(await readdir(directory)).toEqual(['state'])
  })

  test('is never written over what another process has written', async () => {
    await makeState(path)
    const state = createWitnessState(path)
    await state.keep(checkpoint('a.example/log', 5))
    const others = formatState(headsOf(checkpoint('a.example/log', 6)))
    await writeFile(path, others)
    await expect(state.keep(checkpoint('a.example/log', 7))).rejects.toMatchObject({ exitCode: 75 })
    expect(await readFile(path, 'utf8')).toBe(others)
    // What it knew is forgotten, and what is there counts.
    expect(await state.head('a.example/log')).toMatchObject({ size: 6 })
  })

  test('that cannot be kept is not cosigned, and nothing is until it can be read again', async () => {
    const log = new SignedLog().append(9)
    await makeState(path)
    const { add } = witnessOf(log, createWitnessState(path))
    expect(await add(await log.submission(0, 5))).toMatchObject({ status: 200 })
    // The disk is gone.
    await rename(directory, `${directory}-away`)
    await expect(add(await log.submission(5, 9))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(add(await log.submission(5, 9))).rejects.toMatchObject({ code: 'ENOENT' })
    await rename(`${directory}-away`, directory)
    expect(await add(await log.submission(0, 9))).toMatchObject({ status: 409, size: 5 })
    expect(await add(await log.submission(5, 9))).toMatchObject({ status: 200 })
  })

  test('is kept before a cosignature is made', async () => {
    const log = new SignedLog().append(9)
    await makeState(path)
    const state = createWitnessState(path)
    const done: string[] = []
    const watched: WitnessState = {
      ...state,
      keep: async (head) => {
        await state.keep(head)
        done.push('kept')
      },
    }
    const { add } = witnessOf(log, watched, () => done.push('signed'))
    await add(await log.submission(0, 5))
    await add(await log.submission(5, 5))
    expect(done).toEqual(['kept', 'signed', 'signed'])
  })

  test('loses nothing but what crashes left, and only beside itself', async () => {
    await makeState(path)
    const left = [`state.making-${'0'.repeat(16)}`, `state.making-${'f'.repeat(16)}`]
    const others = ['state.key', `other.making-${'0'.repeat(16)}`, 'state.making-short']
    for (const name of [...left, ...others]) await writeFile(join(directory, name), '')
    await tidyUp(path)
    expect(await readdir(directory)).toEqual(['state', ...others].toSorted())
  })

  test('is refused if it is larger than that of any witness', async () => {
    await writeFile(path, 'x'.repeat(1_100_000))
    await expect(createWitnessState(path).head('a')).rejects.toMatchObject({ exitCode: 78 })
  })
})

describe('a file that a process holds alone', () => {
  const holds: Hold[] = []
  const hold = async (name = path) => {
    const held = await holdAlone(name)
    holds.push(held)
    return held
  }
  const announced = async () => (await readdir(directory)).filter((name) => name.includes('.used-'))
  afterEach(async () => {
    for (const held of holds.splice(0)) await held.release()
  })

  test('is refused to the next, until it is released', async () => {
    const first = await hold()
    await expect(hold()).rejects.toMatchObject({ exitCode: 75 })
    expect(await announced()).toHaveLength(1)
    await first.release()
    expect(await announced()).toEqual([])
    await hold()
  })

  test('is never held by two of many that come at the same moment', async () => {
    const tried = await Promise.allSettled(Array.from({ length: 20 }, () => hold()))
    expect(tried.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
    for (const held of holds.splice(0)) await held.release()
    await hold()
  })

  test('is not kept from others by what a killed process left, nor by files of other names', async () => {
    const dead = join(directory, `state.used-${randomBytes(4).toString('hex')}`)
    await writeFile(dead, '')
    await symlink('/nowhere', `${path}.used-00000000`)
    await mkdir(`${path}.used-by-me`)
    await hold()
    expect(await announced()).toHaveLength(2)
    const other = join(directory, 'other')
    await hold(other)
  })

  test('says nothing to who connects', async () => {
    await hold()
    const [name = ''] = await announced()
    const socket = connect(join(directory, name))
    const heard: unknown[] = []
    socket.on('data', (data) => heard.push(data)).on('error', () => undefined)
    await new Promise((resolve) => socket.once('close', resolve))
    expect(heard).toEqual([])
  })

  test('has a name that the system has room for', async () => {
    await expect(hold(join(directory, 'x'.repeat(150)))).rejects.toMatchObject({ exitCode: 78 })
  })
})

function witnessOf(log: SignedLog, state: WitnessState, onSign: () => void = () => undefined) {
  const { key, sign } = signerOfByte(50)
  const signer = {
    key: makeNoteKey(sha256, 'witness.example/w', 'cosignature', key),
    sign: (message: Uint8Array) => {
      onSign()
      return sign(message)
    },
  }
  return { add: createAddCheckpoint({ state, logs: [log.key], signer, verifier: nodeVerifier(), clock: () => 1_000 }) }
}
