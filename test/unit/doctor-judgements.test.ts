import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeTrouble, ok, renderReport, runChecks, warn } from '../../src/cli/doctor/check.js'
import { judgeClock, judgeConnections, judgeMigrations, judgeServer } from '../../src/cli/doctor/database.js'
import { judgeSpace } from '../../src/cli/doctor/disk.js'
import { hideSecrets } from '../../src/cli/doctor/hide-secrets.js'
import { NODE_MIN, nodeCheck } from '../../src/cli/doctor/node.js'
import { readConfig } from '../../src/config/config.js'

const plain = (text: string) => text

describe('running checks', () => {
  it('bounds each check, and one that hangs or throws stops no other', async () => {
    const never = new Promise<never>(() => undefined)
    const broken = () => {
      throw Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    }
    const checks = [
      { name: 'hangs', look: () => never },
      { name: 'throws', look: broken },
      { name: 'works', look: () => ok('fine') },
    ]
    expect(await runChecks(checks, 5, plain)).toEqual({
      ok: false,
      checks: [
        { name: 'hangs', status: 'fail', detail: 'took longer than 5 ms' },
        { name: 'throws', status: 'fail', detail: 'ECONNREFUSED' },
        { name: 'works', status: 'ok', detail: 'fine' },
      ],
    })
  })

  it('takes a warning for no failure, and prints one aligned line a check', async () => {
    const checks = [
      { name: 'short', look: () => ok('one') },
      { name: 'much-longer', look: () => warn('two') },
    ]
    const report = await runChecks(checks, 1_000, plain)
    expect(report.ok).toBe(true)
    expect(renderReport(report)).toBe('ok    short        one\nwarn  much-longer  two\n')
  })

  it('says what went wrong in one line', () => {
    expect(describeTrouble(new Error('first\nsecond'))).toBe('first')
    expect(describeTrouble(Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' }))).toBe(
      'no route (EHOSTUNREACH)',
    )
    expect(describeTrouble('text')).toBe('text')
  })
})

describe('what is judged', () => {
  const expected = { schema: 'llmring', location: 'here', behindPooler: false }
  const facts = { version: '15.1', versionNumber: 150_001, schema: 'llmring', schemaExists: true }

  it('is the server: 15 or newer, and answering from the configured schema', () => {
    expect(judgeServer(facts, expected)).toEqual(ok("PostgreSQL 15.1, here, schema 'llmring'"))
    const old = judgeServer({ ...facts, version: '14.9', versionNumber: 140_009 }, expected)
    expect(old).toMatchObject({ status: 'fail', detail: expect.stringContaining('15 or newer') })
    const elsewhere = judgeServer({ ...facts, schema: 'public' }, { ...expected, behindPooler: true })
    expect(elsewhere).toMatchObject({ status: 'fail', detail: expect.stringMatching(/'public'.*ALTER ROLE/) })
    expect(judgeServer({ ...facts, schema: 'public' }, expected)).toMatchObject({ status: 'fail' })
    expect(judgeServer({ ...facts, schema: null, schemaExists: false }, expected)).toMatchObject({ status: 'ok' })
  })

  it('is the migrations: pending ones warn; newer and changed ones fail', () => {
    const known = [1, 2].map((version) => ({ version, name: `000${version}_x.sql`, sha256: `${version}`, text: '' }))
    expect(judgeMigrations(known, known)).toEqual(ok('up to date at version 2'))
    expect(judgeMigrations(known.slice(0, 1), known)).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/0002_x\.sql/),
    })
    expect(judgeMigrations([], known)).toMatchObject({ status: 'warn' })
    expect(judgeMigrations(known, known.slice(0, 1))).toMatchObject({
      status: 'fail',
      detail: expect.stringMatching(/newer than this program/),
    })
    const changed = [{ name: '0001_x.sql', sha256: 'other' }]
    expect(judgeMigrations(changed, known)).toMatchObject({
      status: 'fail',
      detail: expect.stringMatching(/0001_x\.sql/),
    })
  })

  it('is the connections: a pool that may want more than others leave warns', () => {
    expect(judgeConnections({ most: 97, others: 64 }, 30)).toMatchObject({ status: 'ok' })
    expect(judgeConnections({ most: 97, others: 65 }, 30)).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/^32 of 97/),
    })
    expect(judgeConnections({ most: 10, others: 20 }, 30)).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/^0 of 10/),
    })
  })

  it('is the clock: more than two seconds warn, in both directions, less what the question took', () => {
    expect(judgeClock({ aheadMs: 2_000, doubtMs: 0 })).toMatchObject({ status: 'ok' })
    expect(judgeClock({ aheadMs: 2_001, doubtMs: 0 })).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/ahead of/),
    })
    expect(judgeClock({ aheadMs: -2_001, doubtMs: 0 })).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/behind/),
    })
    expect(judgeClock({ aheadMs: -2_500, doubtMs: 500 })).toMatchObject({ status: 'ok' })
  })

  it('is the disk: less than 1 GiB or 5 % fails', () => {
    const gib = 1024 ** 3
    expect(judgeSpace({ freeBytes: gib, totalBytes: 20 * gib }, '/d')).toMatchObject({ status: 'ok' })
    expect(judgeSpace({ freeBytes: gib - 1, totalBytes: 2 * gib }, '/d')).toMatchObject({ status: 'fail' })
    expect(judgeSpace({ freeBytes: 49 * gib, totalBytes: 1000 * gib }, '/d')).toMatchObject({ status: 'fail' })
  })

  it('is Node: what package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(engines.node).toBe(`>=${NODE_MIN}`)
    const statuses = ['20.19.0', '20.18.9', '18.99.0', '22.0.0'].map((version) => nodeCheck(version).look())
    expect(statuses).toMatchObject([{ status: 'ok' }, { status: 'fail' }, { status: 'fail' }, { status: 'ok' }])
  })
})

it('hides every configured secret, as it is written and as it is sent', () => {
  const secret = Buffer.alloc(32, 7).toString('base64url')
  const logSecret = Buffer.alloc(32, 9).toString('base64url')
  const read = readConfig('/nowhere', {
    LLMRING_DATABASE_URL: 'postgres://u:p%40ssword@db/x',
    LLMRING_REDIS_URL: 'redis://:redis-word@cache/0',
    LLMRING_RECEIPTS_PRIVATE_KEY_B64: secret,
    LLMRING_TLOG_PRIVATE_KEY_B64: logSecret,
    LLMRING_TLOG_GUARD: 'none',
    LLMRING_KEY_PEPPER: 'pepper-pepper-pepper',
    LLMRING_ADMIN_KEY: 'admin-admin-admin',
  })
  if (!read.ok) throw new Error(read.faults.join())
  const words = ['p%40ssword', 'p@ssword', 'redis-word', secret, logSecret, 'pepper-pepper-pepper', 'admin-admin-admin']
  const hidden = hideSecrets(read.config)(`kept ${words.join(' ')} kept`)
  expect(hidden).toBe(`kept ${words.map(() => '[hidden]').join(' ')} kept`)
})
