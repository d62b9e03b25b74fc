import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { withSql } from '../fixtures/filled-database.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { readBlocks, WEBHOOKS } from '../support/readme.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'
import { type Receiver, revisionOf, startReceiver, verifyWebhook } from '../support/webhook-receiver.js'

const PATH = '/api/v1/webhook'
const ANYWHERE = 'https://hooks.llmring.invalid/'

let database: TestDatabase
let service: RunningService
const settings = () => ({ LLMRING_DATABASE_URL: database.url, LLMRING_WEBHOOK_PRIVATE: 'true' })
beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService(settings())
})
afterAll(async () => {
  await service.close()
  await database.drop()
})

const receivers: Receiver[] = []
async function receiver(): Promise<Receiver> {
  const started = await startReceiver()
  receivers.push(started)
  return started
}
afterEach(async () => {
  for (const one of receivers.splice(0)) await one.close()
})

/** A project of its own, by its key. */
type Team = { readonly key: string; readonly id: string }
async function newTeam(): Promise<Team> {
  const { json: project } = await service.call('/api/v1/admin/projects', { key: OPERATOR_KEY, json: {} })
  const path = `/api/v1/admin/projects/${project.id}/keys`
  const { json: made } = await service.call(path, { key: OPERATOR_KEY, json: {} })
  return { key: made.key, id: project.id }
}

const put = ({ key }: Team, json: object, on = service) => on.call(PATH, { method: 'PUT', key, json })
const show = async ({ key }: Team) => (await service.call(PATH, { key })).json
const bind = async ({ key }: Team, alias: string, on = service, more: object = {}) => {
  const json = { alias, model: `openai:${randomUUID()}`, ...more }
  const answer = await on.call('/api/v1/aliases/bind', { key, json })
  expect(answer.status).toBe(200)
  return answer.json.revision as number
}
const metric = async (series: string) => {
  const { text } = await service.call('/metrics', { key: null })
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length) ?? 0,
  )
}
/** Lets the wait of a project's next attempt be over. */
const letDue = ({ id }: Team) => service.sql`
  update webhooks set due_at = now() - interval '1 second' where project_id = ${id} and due_at is not null`
const waiting = async (team: Team) => {
  const rows = await service.sql`
    select (body::jsonb->'data'->>'revision')::int as revision from webhook_deliveries
    where project_id = ${team.id} order by place`
  return rows.map(({ revision }) => revision)
}

describe('a change of aliases', () => {
  it('is told to the receiver, signed so that an independent verifier accepts it', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    const { json, status } = await put(team, { url: hook.url })
    expect([status, json.secret]).toEqual([200, expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)])
    const revision = await bind(team, 'summarizer', service, { profile: 'prod' })
    const [one] = await hook.until(1)
    if (one === undefined) throw new Error('nothing came')
    expect(verifyWebhook(json.secret, one)).toBe(true)
    expect(verifyWebhook(json.secret.replace(/_./, '_/'), one)).toBe(false)
    expect(verifyWebhook(json.secret, { ...one, body: `${one.body} ` })).toBe(false)
    expect(verifyWebhook(json.secret, { ...one, headers: { ...one.headers, 'webhook-id': 'msg_other' } })).toBe(false)
    expect(JSON.parse(one.body)).toEqual({
      type: 'aliases.changed',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: expect.objectContaining({ project_id: team.id, revision, profiles: ['prod'] }),
    })
    expect(one.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
      'user-agent': expect.stringMatching(/^llmring-server\/\d/),
    })
    await eventually(async () => expect(await waiting(team)).toEqual([]))
  })

  it('is accepted by the receiver that the documentation shows', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    const { secret } = (await put(team, { url: hook.url })).json
    await bind(team, 'summarizer')
    const [one] = await hook.until(1)
    const shown = readBlocks(WEBHOOKS.text).find(({ kind }) => kind === 'js')?.text ?? ''
    const { isFromLlmring } = await import(`data:text/javascript,${encodeURIComponent(shown)}`)
    expect(isFromLlmring(secret, one?.headers, one?.body)).toBe(true)
    expect(isFromLlmring(secret, one?.headers, `${one?.body} `)).toBe(false)
    expect(isFromLlmring(secret, { ...one?.headers, 'webhook-timestamp': '1' }, one?.body)).toBe(false)
    expect(isFromLlmring(secret, {}, one?.body)).toBe(false)
  })

  it('is told in the order of the revisions, each once, whoever writes and however many', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    const written = await Promise.all(Array.from({ length: 30 }, (_, n) => bind(team, `alias-${n}`)))
    const came = await hook.until(30)
    await eventually(async () => expect(await waiting(team)).toEqual([]))
    expect(hook.revisions()).toEqual([...written].sort((one, other) => one - other))
    expect(new Set(came.map(({ headers }) => headers['webhook-id'])).size).toBe(30)
    expect(hook.open().most).toBe(1)
  })

  it('that is refused or rolled back is told to nobody', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    const refused = await service.call('/api/v1/aliases/bind', { key: team.key, json: { alias: 'x' } })
    expect(refused.status).toBe(422)
    const nothing = await service.call('/api/v1/aliases/none', { method: 'DELETE', key: team.key })
    expect(nothing.json).toMatchObject({ deleted: false })
    const revision = await bind(team, 'first')
    await hook.until(1)
    expect(hook.revisions()).toEqual([revision])
  })

  it('of many profiles names none of them if their names are too long', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    const items = (profiles: number) =>
      Array.from({ length: profiles }, (_, n) => ({
        alias: 'a',
        model: 'openai:a',
        profile: `${n}-${'x'.repeat(240)}`,
      }))
    for (const json of [items(2), items(90)]) {
      const answer = await service.call('/api/v1/aliases/bulk_upsert', { key: team.key, json })
      expect(answer.status).toBe(200)
    }
    const bodies = (await hook.until(2)).map(({ body }) => JSON.parse(body).data.profiles)
    expect(bodies).toEqual([items(2).map(({ profile }) => profile), null])
  })

  it('in a project without a webhook, or of another project, leaves no row and reaches nobody', async () => {
    const [team, other, hook] = [await newTeam(), await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    await bind(other, 'theirs')
    const [row] = await service.sql`select count(*)::int as rows from webhook_deliveries where project_id = ${other.id}`
    expect(row).toEqual({ rows: 0 })
    const revision = await bind(team, 'ours')
    await hook.until(1)
    expect(hook.received.map(({ body }) => JSON.parse(body).data.project_id)).toEqual([team.id])
    expect(hook.revisions()).toEqual([revision])
  })
})

describe('a receiver that does not take a delivery', () => {
  it.each([500, 302, 404, 199 + 200])('with status %i gets the same again, before anything later', async (status) => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    hook.answer((response) => void response.writeHead(status, { Location: `${hook.url}-elsewhere` }).end())
    const first = await bind(team, 'first')
    await hook.until(1)
    await eventually(async () =>
      expect(await show(team)).toMatchObject({
        failures: 1,
        waiting: 1,
        last_failure: `it answered with status ${status}`,
      }),
    )
    const second = await bind(team, 'second')
    hook.answer(200)
    await letDue(team)
    const came = await hook.until(3)
    await eventually(async () =>
      expect(await show(team)).toMatchObject({ failures: 0, waiting: 0, last_failure: null }),
    )
    expect(hook.revisions()).toEqual([first, first, second])
    expect(came.map(({ path }) => path)).toEqual(['/hook', '/hook', '/hook'])
    const [id, again, later] = came.map(({ headers }) => headers['webhook-id'])
    expect([again === id, later === id]).toEqual([true, false])
  })

  it('waits longer after each failure, or as long as it asks for', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    const pauses: number[] = []
    const failNext = async (failures: number) => {
      await eventually(async () => expect(await show(team)).toMatchObject({ failures }))
      const [row] = await service.sql`
        select extract(epoch from due_at - now())::float8 as seconds from webhooks where project_id = ${team.id}`
      pauses.push(row?.['seconds'])
      await letDue(team)
    }
    hook.answer(503)
    await bind(team, 'first')
    await failNext(1)
    await failNext(2)
    await failNext(3)
    hook.answer((response) => void response.writeHead(429, { 'Retry-After': '1800' }).end())
    await failNext(4)
    // A little has passed since each was written.
    const [first = 0, second = 0, third = 0, asked = 0] = pauses
    expect(first).toBeLessThanOrEqual(5.5)
    expect(second).toBeGreaterThan(first)
    expect(second).toBeLessThanOrEqual(22)
    expect(third).toBeGreaterThan(second)
    expect(asked).toBeGreaterThan(1500)
  })

  it('for a day loses what is older than a day, counted, and gets what is younger', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    hook.answer(500)
    const old = await bind(team, 'old')
    await hook.until(1)
    await eventually(async () => expect(await show(team)).toMatchObject({ failures: 1 }))
    const young = await bind(team, 'young')
    await service.sql`
      update webhook_deliveries set created_at = now() - interval '24 hours' where project_id = ${team.id} and place = 1`
    const before = await metric('llmring_webhook_dropped_total{reason="expired"}')
    await letDue(team)
    await eventually(async () => expect(await waiting(team)).toEqual([young]))
    expect(await metric('llmring_webhook_dropped_total{reason="expired"}')).toBe(before + 1)
    hook.answer(200)
    await letDue(team)
    await hook.until(3)
    expect(hook.revisions()).toEqual([old, old, young])
  })

  it('and says that it is gone (410) is asked no more until it is set again', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    hook.answer(410)
    await bind(team, 'first')
    await eventually(async () => expect(await show(team)).toMatchObject({ status: 'gone', waiting: 0 }))
    await bind(team, 'unheard')
    expect(await waiting(team)).toEqual([])
    hook.answer(204)
    expect((await put(team, { url: hook.url })).json).toMatchObject({ status: 'active', last_failure: null })
    const heard = await bind(team, 'heard')
    await hook.until(2)
    expect(revisionOf(hook.received[1] as never)).toBe(heard)
  })

  it('for long keeps the newest deliveries, and the oldest make room', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    hook.answer(500)
    const first = await bind(team, 'first')
    await eventually(async () => expect(await show(team)).toMatchObject({ failures: 1 }))
    // As many as may wait, from before the first one.
    await service.sql`
      insert into webhook_deliveries (project_id, place, id, body, attempts, created_at)
      select ${team.id}, n - 999, 'msg_' || n, json_build_object('data', json_build_object('revision', ${first}::int - 1000 + n)), 0, now()
      from generate_series(1, 999) as n`
    const before = await metric('llmring_webhook_dropped_total{reason="overflow"}')
    const last = await bind(team, 'last')
    const kept = await waiting(team)
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1000, first - 998, last])
    expect(await metric('llmring_webhook_dropped_total{reason="overflow"}')).toBe(before + 1)
  })

  it('holds up no other project', async () => {
    const [slow, other, tarpit, hook] = [await newTeam(), await newTeam(), await receiver(), await receiver()]
    tarpit.answer(() => undefined)
    await put(slow, { url: tarpit.url })
    await put(other, { url: hook.url })
    await bind(slow, 'first')
    await tarpit.until(1)
    await bind(slow, 'second')
    const revisions = [await bind(other, 'one'), await bind(other, 'two')]
    await hook.until(2)
    expect(hook.revisions()).toEqual(revisions)
    expect(tarpit.open()).toEqual({ now: 1, most: 1 })
    tarpit.answer(200)
    // What holds on is let go of with its webhook.
    expect((await service.call(PATH, { method: 'DELETE', key: slow.key })).json).toEqual({ deleted: true })
  })
})

describe('receivers that are slow', () => {
  it('take a share of what is sent at a time, however many they are: a fresh change is told at once', async () => {
    const [tarpit, hook] = [await receiver(), await receiver()]
    const own = await cloneDatabase()
    const crowded = await startService({ ...settings(), LLMRING_DATABASE_URL: own.url })
    try {
      tarpit.answer(() => undefined)
      const slow = Array.from({ length: 40 }, (_, n) => ({ key: `slow-${n}`, id: '' }))
      for (const one of slow) await put(one, { url: tarpit.url }, crowded)
      await crowded.sql`update webhooks set slow = true`
      for (const one of slow) await bind(one, 'alias', crowded)
      await tarpit.until(16)
      const fresh = { key: 'fresh', id: '' }
      await put(fresh, { url: hook.url }, crowded)
      await bind(fresh, 'alias', crowded)
      await hook.until(1)
      expect(tarpit.open()).toEqual({ now: 16, most: 16 })
    } finally {
      await crowded.close()
      await own.drop()
    }
  })
})

describe('two instances', () => {
  it('send each delivery once between them, in order, and take over what one of them left', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    const second = await startService(settings())
    try {
      await put(team, { url: hook.url })
      hook.answer((response) => void setTimeout(() => response.writeHead(200).end(), 5))
      const written: number[] = []
      for (let n = 0; n < 20; n++) written.push(await bind(team, `alias-${n}`, n % 2 === 0 ? service : second))
      await hook.until(20)
      await eventually(async () => expect(await waiting(team)).toEqual([]))
      expect(hook.revisions()).toEqual(written)
      expect(hook.open().most).toBe(1)

      // One is left in the middle of an attempt, as by a lost machine: its lease ends, and the other one sends.
      let release: () => void = () => undefined
      hook.answer((response) => {
        release = () => void response.writeHead(200).end()
      })
      const revision = await bind(team, 'left')
      await hook.until(21)
      hook.answer(200)
      await letDue(team)
      await hook.until(22)
      await eventually(async () => expect(await waiting(team)).toEqual([]))
      release()
      const next = await bind(team, 'next')
      await hook.until(23)
      expect(hook.revisions().slice(20)).toEqual([revision, revision, next])
    } finally {
      await second.close()
    }
  })
})

describe('an attempt that outlived its lease', () => {
  it('writes nothing down: the delivery is another attempt’s by then', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    const release: ((status: number) => void)[] = []
    hook.answer((response) => void release.push((status) => response.writeHead(status).end()))
    const underWay = () => metric('llmring_webhook_attempts_under_way')
    // What the tests before sent may not be over.
    await eventually(async () => expect(await underWay()).toBe(0), 20_000)
    await bind(team, 'first')
    await hook.until(1)
    await letDue(team)
    await hook.until(2)
    const leaseOf = async () => (await service.sql`select lease, due_at from webhooks where project_id = ${team.id}`)[0]
    const held = await leaseOf()
    expect(await underWay()).toBe(2)
    release[0]?.(410)
    await eventually(async () => expect(await underWay()).toBe(1))
    expect(await show(team)).toMatchObject({ status: 'active', waiting: 1 })
    expect(await leaseOf()).toEqual(held)
    release[1]?.(200)
    await eventually(async () => expect(await show(team)).toMatchObject({ waiting: 0 }))
  })
})

describe('a service that stops', () => {
  it('breaks off its attempt, and the next start delivers', async () => {
    const own = await cloneDatabase()
    const hook = await receiver()
    const environment = { ...settings(), LLMRING_DATABASE_URL: own.url }
    const stopping = await startService(environment)
    const team = { key: 'a-key-of-its-own', id: '' }
    await put(team, { url: hook.url }, stopping)
    hook.answer(() => undefined)
    const revision = await bind(team, 'first', stopping)
    await hook.until(1)
    await stopping.close()
    expect(hook.open().now).toBe(0)
    // It says nothing of the receiver, and nothing has to be waited for.
    const [left] = await withSql(
      own.url,
      (sql) => sql`select failures, slow, lease, due_at <= now() as due from webhooks`,
    )
    expect(left).toEqual({ failures: 0, slow: false, lease: null, due: true })
    hook.answer(200)
    const next = await startService(environment)
    try {
      await hook.until(2)
      expect(hook.revisions()).toEqual([revision, revision])
      await eventually(async () => {
        expect((await next.call(PATH, { key: team.key })).json).toMatchObject({ waiting: 0, failures: 0 })
      })
    } finally {
      await next.close()
      await own.drop()
    }
  })
})

describe('the webhook of a project', () => {
  it('shows that there is a secret and never the secret, in no answer, export, row or log', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
    const set = await put(team, { url: hook.url, secret })
    expect(set.json).toMatchObject({ url: hook.url, has_secret: true, secret: null, status: 'active' })
    const shown = await service.call(PATH, { key: team.key })
    const exported = await service.call(`/api/v1/admin/projects/${team.id}/export`, { key: OPERATOR_KEY })
    expect(exported.text).toContain('"type":"webhook"')
    const [row] =
      await service.sql`select row_to_json(webhooks)::text as text from webhooks where project_id = ${team.id}`
    const plain = [secret.slice(6), Buffer.alloc(32, 9).toString('hex'), Buffer.alloc(32, 9).toString('latin1')]
    for (const text of [set.text, shown.text, exported.text, row?.['text'] as string]) {
      for (const form of plain) expect(text).not.toContain(form)
    }
    await bind(team, 'first')
    const [one] = await hook.until(1)
    expect(one !== undefined && verifyWebhook(secret, one)).toBe(true)
  })

  it('is another project’s as little as it is there', async () => {
    const [team, other, hook] = [await newTeam(), await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    expect(await show(other)).toMatchObject({ url: null, status: 'none', has_secret: false })
    expect((await service.call(PATH, { method: 'DELETE', key: other.key })).json).toEqual({ deleted: false })
    expect(await show(team)).toMatchObject({ url: hook.url })
  })

  it('leads elsewhere once it is set anew: what waits goes there, signed with the new secret', async () => {
    const [team, before, after] = [await newTeam(), await receiver(), await receiver()]
    await put(team, { url: before.url })
    before.answer(500)
    const first = await bind(team, 'first')
    await eventually(async () => expect(await show(team)).toMatchObject({ failures: 1 }))
    await service.sql`update webhooks set due_at = now() + interval '1 hour' where project_id = ${team.id}`
    const { json } = await put(team, { url: after.url })
    const [one] = await after.until(1)
    expect(after.revisions()).toEqual([first])
    expect(one !== undefined && verifyWebhook(json.secret, one)).toBe(true)
    expect(before.received.length).toBe(1)
  })

  it('that was replaced during an attempt takes nothing from the old receiver’s answer', async () => {
    const [team, before, after] = [await newTeam(), await receiver(), await receiver()]
    await put(team, { url: before.url })
    let answerGone: () => void = () => undefined
    before.answer((response) => {
      answerGone = () => void response.writeHead(410).end()
    })
    const first = await bind(team, 'first')
    await before.until(1)
    await put(team, { url: after.url })
    answerGone()
    await after.until(1)
    expect(after.revisions()).toEqual([first])
    expect(await show(team)).toMatchObject({ status: 'active', url: after.url })
  })

  it.each<[string, object, string, string]>([
    ['no URL', {}, '/url', ''],
    ['an empty secret', { url: ANYWHERE, secret: 'whsec_' }, '/secret', 'must be whsec_ and 24 to 64 bytes in base64'],
    ['a short secret', { url: ANYWHERE, secret: `whsec_${'A'.repeat(28)}` }, '/secret', 'must be whsec_'],
    ['another protocol', { url: 'gopher://hooks.llmring.invalid/' }, '/url', 'must begin with https:// or http://'],
    ['a password', { url: 'https://me:password@hooks.llmring.invalid/' }, '/url', 'must be without user and password'],
    ['a long URL', { url: `${ANYWHERE}${'x'.repeat(2100)}` }, '/url', '2048'],
    ['a URL that becomes long', { url: `${ANYWHERE}${'é'.repeat(1000)}` }, '/url', '2048'],
  ])('is not set to %s', async (_what, json, pointer, message) => {
    const team = await newTeam()
    const answer = await put(team, json)
    expect([answer.status, answer.json.errors?.[0]?.pointer]).toEqual([422, pointer])
    expect(answer.json.errors[0].message).toContain(message)
    expect(answer.text).not.toContain('me:password')
    expect(await show(team)).toMatchObject({ status: 'none' })
  })

  it('whose secret no key opens any more is not sent to, says so, and works once it is set again', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    await put(team, { url: hook.url })
    await service.sql`update webhooks set secret_key_id = 'forgotten' where project_id = ${team.id}`
    const revision = await bind(team, 'first')
    const said = { failures: 1, last_failure: 'its secret cannot be decrypted; set the webhook again' }
    await eventually(async () => expect(await show(team)).toMatchObject(said))
    expect(hook.received).toEqual([])
    await put(team, { url: hook.url })
    await hook.until(1)
    expect(hook.revisions()).toEqual([revision])
  })

  it('goes with its project, and what waits for it', async () => {
    const [team, hook] = [await newTeam(), await receiver()]
    hook.answer(500)
    await put(team, { url: hook.url })
    await bind(team, 'first')
    const erased = await service.call(`/api/v1/admin/projects/${team.id}`, { method: 'DELETE', key: OPERATOR_KEY })
    expect(erased.json.rows).toMatchObject({ webhooks: 2 })
  })
})

describe('a service for strangers', () => {
  let strict: RunningService
  beforeAll(async () => {
    strict = await startService({ LLMRING_DATABASE_URL: database.url })
  })
  afterAll(() => strict.close())

  it.each([
    ['http://hooks.llmring.invalid/', 'must begin with https://'],
    ['https://127.0.0.1/', 'its address is not public'],
    ['https://2130706433/', 'its address is not public'],
    ['https://[::1]:8443/', 'its address is not public'],
    ['https://[::ffff:10.0.0.1]/', 'its address is not public'],
    ['https://[64:ff9b::a9fe:a9fe]/', 'its address is not public'],
    ['https://169.254.169.254/latest/meta-data/', 'its address is not public'],
    ['https://100.64.0.1/', 'its address is not public'],
  ])('sets no webhook to %s', async (url, message) => {
    const team = await newTeam()
    const answer = await put(team, { url }, strict)
    expect([answer.status, answer.json.errors]).toEqual([422, [{ pointer: '/url', message }]])
  })

  it('sets no webhook to a name that leads to this machine', async () => {
    const answer = await put(await newTeam(), { url: 'https://localhost/' }, strict)
    expect([answer.status, answer.json.errors?.[0]?.pointer]).toEqual([422, '/url'])
  })
})

describe('a service without a secret of its own', () => {
  it('sets no webhook, whose secret would lie open', async () => {
    const bare = await startService({
      ...settings(),
      LLMRING_RECEIPTS_PRIVATE_KEY_B64: '',
      LLMRING_TLOG_PRIVATE_KEY_B64: '',
    })
    try {
      const answer = await put(await newTeam(), { url: 'https://hooks.llmring.invalid/' }, bare)
      expect([answer.status, answer.json.code]).toEqual([503, 'webhooks-not-configured'])
    } finally {
      await bare.close()
    }
  })
})
