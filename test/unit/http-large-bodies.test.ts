import { z } from '@hono/zod-openapi'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Access, NO_PROJECT, PUBLIC, WRITES } from '../../src/access/principal.js'
import { parsePassedInSteps } from '../../src/http/body/parse-json.js'
import { createBodyLimits } from '../../src/http/body/read-bytes.js'
import { createApp } from '../../src/http/create-app.js'
import type { Endpoint } from '../../src/http/declaration.js'
import { type App, type Guards, mount } from '../../src/http/endpoint.js'
import { limited } from '../../src/http/limited.js'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import { createServiceReadTurns } from '../../src/http/read-turns.js'
import { createLogger } from '../../src/platform/logger.js'
import { createSlices } from '../../src/platform/slices.js'

const { jsonValuesMax, jsonNamesMax, jsonListValuesMax, errorsShownMax, errorCharactersMax } = HTTP_LIMITS
const SERVICE_BYTES_MAX = 4_194_304

/** How often the schema looked at a value. */
let looks: number
beforeEach(() => {
  looks = 0
})

const seen = z.custom<unknown>((value) => {
  // With undefined a route asks once, when it is declared, whether the body may be left out.
  if (value !== undefined) looks += 1
  return true
})
const guards: Guards = {
  body: createBodyLimits(SERVICE_BYTES_MAX),
  reads: createServiceReadTurns(),
  lane: { add: () => undefined },
  direct: { add: () => undefined },
  admit: () => ({ projectId: NO_PROJECT, role: 'write', keyId: 'k', newKey: null }),
  provision: (principal) => principal,
}

type Thing = Endpoint<unknown, unknown, unknown>

function appWith(body: z.ZodType, extra: Partial<Thing> = {}, access: Access = WRITES): App {
  const app = createApp({ logger: createLogger('silent'), explain: () => undefined })
  mount<unknown, unknown, unknown>(app, guards, {
    ...{ method: 'post', path: '/things', tag: 'Things', operationId: 'test', summary: 'Take things', access, body },
    responses: { 200: { description: 'What was taken.' } },
    handle: (request) => Response.json({ items: Array.isArray(request.body) ? request.body.length : null }),
    ...extra,
  })
  return app
}

type Refusal = { code: string; detail: string; errors: { pointer: string; message: string }[]; items: number | null }
async function post(app: App, body: string): Promise<{ status: number; size: number; json: Refusal }> {
  const answer = await app.request('/things', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
  const text = await answer.text()
  return { status: answer.status, size: text.length, json: JSON.parse(text) }
}

const list = (length: number, item: string) => `[${Array(length).fill(item).join(',')}]`
const map = (length: number) => `{${Array.from({ length }, (_, index) => `"k${index}":0`).join(',')}}`

describe('a body that holds too much', () => {
  const TOO_MUCH: readonly (readonly [string, string])[] = [
    ['values in a list', list(jsonValuesMax + 1, '0')],
    ['values in lists of lists', list(jsonValuesMax / 10, list(10, '0'))],
    ['empty objects', list(jsonValuesMax / 2 + 1, '{}')],
    ['members', map(jsonNamesMax + 1)],
    ['members of many objects', list(jsonNamesMax / 4, '{"a":1,"b":2,"c":{"d":3},"e":4}')],
    [
      'one member again and again',
      `{${Array(jsonNamesMax + 1)
        .fill('"a":0')
        .join(',')}}`,
    ],
    ['values behind what no parser would take', `[}${list(jsonValuesMax + 1, '0')}`],
  ]
  test.each(TOO_MUCH)('is refused before any schema looks at it: %s', async (_, text) => {
    const answer = await post(appWith(seen), text)
    expect([answer.status, answer.json.code, looks]).toEqual([413, 'body-too-large', 0])
    expect(answer.json.detail).toMatch(/^The body holds more than \d+ (values|members' names)\.$/)
  })

  test('is one value beyond what is taken', async () => {
    expect((await post(appWith(seen), list(jsonValuesMax, '0'))).status).toBe(200)
    expect((await post(appWith(seen), map(jsonNamesMax))).status).toBe(200)
  })

  test('does not count what stands in texts', async () => {
    const text = String.raw`["${'[,:{'.repeat(100_000)}","\"${'\\\\[,'.repeat(100_000)}"]`
    expect((await post(appWith(seen), text)).status).toBe(200)
  })
})

describe('a body that is passed on', () => {
  const { passedValuesMax, passedNamesMax } = HTTP_LIMITS
  const digits = (count: number, length: number) => list(count, '7'.repeat(length))

  test('may hold more than one that is kept, and not so much that reading it keeps others waiting', async () => {
    const app = appWith(seen, { passesBody: true })
    expect(passedNamesMax).toBeGreaterThan(jsonNamesMax)
    const refused: readonly (readonly [string, string])[] = [
      [list(passedValuesMax, '0'), list(passedValuesMax + 1, '0')],
      [map(passedNamesMax), map(passedNamesMax + 1)],
      [list(passedNamesMax, '{"a":0}'), list(passedNamesMax + 1, '{"a":0}')],
      // Two values each: what any item is, and one more for its 32 characters.
      [digits(passedValuesMax / 2, 32), digits(passedValuesMax / 2 + 1, 32)],
      [digits(passedValuesMax / 2 + 1, 31), digits(passedValuesMax / 2 + 1, 63)],
    ]
    for (const [most, more] of refused) {
      expect((await post(app, most)).status).toBe(200)
      const answer = await post(app, more)
      expect([answer.status, answer.json.code]).toEqual([413, 'body-too-large'])
    }
  })

  test('lets others have their turns while a large one is read', async () => {
    let turns = 0
    let next: NodeJS.Immediate
    const take = () => {
      turns += 1
      next = setImmediate(take)
    }
    next = setImmediate(take)
    const sent = { text: 'x'.repeat(HTTP_LIMITS.passedStepBytes) }
    const { value } = await parsePassedInSteps(Buffer.from(JSON.stringify(sent)))
    clearImmediate(next)
    expect(value).toEqual(sent)
    expect(turns).toBeGreaterThanOrEqual(2)
    await expect(parsePassedInSteps(Buffer.from(`${JSON.stringify(sent)}]`))).rejects.toMatchObject({
      code: 'malformed-json',
    })
  })
})

describe('the bytes of a body', () => {
  const bytesMax = async (app: App) => {
    const fits = async (bytes: number) => (await post(app, `"${'x'.repeat(bytes - 2)}"`)).status === 200
    const limits = [1_000, HTTP_LIMITS.publicBodyBytesMax, SERVICE_BYTES_MAX]
    const found = []
    for (const limit of limits) if ((await fits(limit)) && !(await fits(limit + 1))) found.push(limit)
    return found
  }
  test('are limited by the service, and by what the route says, whichever is less', async () => {
    expect(await bytesMax(appWith(seen))).toEqual([SERVICE_BYTES_MAX])
    expect(await bytesMax(appWith(seen, { bodyBytesMax: 1_000 }))).toEqual([1_000])
    expect(await bytesMax(appWith(seen, { bodyBytesMax: 2 * SERVICE_BYTES_MAX }))).toEqual([SERVICE_BYTES_MAX])
  })

  test('are few on a route that asks for no key', async () => {
    expect(await bytesMax(appWith(seen, {}, PUBLIC))).toEqual([HTTP_LIMITS.publicBodyBytesMax])
  })

  test('are named in the refusal', async () => {
    const { json } = await post(appWith(seen, { bodyBytesMax: 1_000 }), ' '.repeat(1_001))
    expect(json.detail).toBe('The body is larger than 1000 bytes.')
  })
})

describe('a body with many faults', () => {
  test('is answered with the first twenty', async () => {
    const { json } = await post(appWith(z.array(z.string())), list(10_000, '0'))
    expect(json.errors).toHaveLength(errorsShownMax)
  })

  test('is answered with names and messages that are cut', async () => {
    const name = '\u{1f600}'.repeat(100_000)
    const strict = await post(appWith(z.strictObject({})), `{"${name}":0}`)
    const inside = await post(appWith(z.record(z.string(), z.string())), `{"${name}":0}`)
    const long = JSON.stringify({ [name]: 'NUL' }).replace('NUL', String.raw`\u0000`)
    const unkeepable = await post(appWith(seen), long)
    for (const { status, size, json } of [strict, inside, unkeepable]) {
      expect([status, size < 10_000]).toEqual([422, true])
      for (const { pointer, message } of json.errors) {
        expect(Math.max(pointer.length, message.length)).toBeLessThanOrEqual(errorCharactersMax)
        expect([pointer.isWellFormed(), message.isWellFormed()]).toEqual([true, true])
      }
    }
  })

  test('has its entries counted before any of them is looked at', async () => {
    for (const schema of [limited(32, z.array(seen)), limited(32, z.record(z.string(), seen))]) {
      const few =
        schema instanceof z.ZodType && (await post(appWith(z.object({ a: schema })), `{"a":${list(33, '0')}}`))
      expect(few).toMatchObject({ status: 422, json: { errors: [{ pointer: '/a' }] } })
      const many = await post(appWith(z.object({ a: schema })), `{"a":${map(33)}}`)
      expect(many).toMatchObject({ status: 422, json: { errors: [{ pointer: '/a' }] } })
      expect(looks).toBe(0)
    }
  })
})

describe('a body that is a long list', () => {
  const bodyItems = { schema: z.object({ a: z.number() }), itemsMax: 1_000, itemBytesMax: 100_000 }
  const app = () => appWith(z.array(seen).nullish(), { bodyItems })

  test('is taken item by item, and still refused as a whole', async () => {
    expect(await post(app(), list(1_000, '{"a":1}'))).toMatchObject({ status: 200, json: { items: 1_000 } })
    expect(await post(app(), ' [ ] ')).toMatchObject({ status: 200, json: { items: 0 } })
    expect(await post(app(), 'null')).toMatchObject({ status: 200, json: { items: null } })
    expect(looks).toBe(0)
  })

  const REFUSED: readonly (readonly [string, string, number, string])[] = [
    ['one item too many', list(1_001, '{"a":1}'), 422, 'validation-failed'],
    ['no list at all', '{"a":1}', 422, 'validation-failed'],
    ['an item that is large', `[{"a":1,"b":"${'x'.repeat(100_000)}"}]`, 413, 'body-too-large'],
    ['an item that holds much', `[{"a":1,"b":${list(jsonValuesMax, '0')}}]`, 413, 'body-too-large'],
    [
      'items that hold much together',
      list(20, `{"a":1,"b":${list(jsonListValuesMax / 20, '0')}}`),
      413,
      'body-too-large',
    ],
    ['an item that is no JSON', '[{"a":1},{"a":1}}]', 400, 'malformed-json'],
    ['no end', '[{"a":1}', 400, 'malformed-json'],
    ['a comma too many', '[{"a":1},]', 400, 'malformed-json'],
    ['something behind it', '[{"a":1}] []', 400, 'malformed-json'],
    ['an item nested too deep', `[{"a":1,"b":${'['.repeat(40)}${']'.repeat(40)}}]`, 400, 'malformed-json'],
    ['an item with NUL', String.raw`[{"a":1,"b":"\u0000"}]`, 422, 'validation-failed'],
  ]
  test.each(REFUSED)('is refused with %s', async (_, text, status, code) => {
    const answer = await post(app(), text)
    expect([answer.status, answer.json.code]).toEqual([status, code])
  })

  test('is looked at until twenty faults are found, which say where they are', async () => {
    let items = 0
    const schema = z.object({ a: z.number() }).refine(() => {
      items += 1
      return false
    }, 'is refused')
    const answer = await post(appWith(z.array(seen), { bodyItems: { ...bodyItems, schema } }), list(1_000, '{"a":1}'))
    expect(answer.json.errors.map(({ pointer }) => pointer)).toEqual(
      Array.from({ length: errorsShownMax }, (_, index) => `/${index}`),
    )
    expect(items).toBe(errorsShownMax)
  })

  test('lets others have their turn while it is looked at', async () => {
    let turns = 0
    const schema = z.object({ a: z.number() }).refine(() => {
      const until = performance.now() + 1
      while (performance.now() < until);
      return true
    })
    const count = setInterval(() => {
      turns += 1
    })
    await post(appWith(z.array(seen), { bodyItems: { ...bodyItems, schema } }), list(100, '{"a":1}'))
    clearInterval(count)
    expect(turns).toBeGreaterThan(3)
  })
})

describe('a slice of work', () => {
  test('is due to end some milliseconds after the last pause', async () => {
    let now = 0
    const slices = createSlices(() => now)
    const due = []
    for (now = 0; now < 14; now += 1) {
      due.push(slices.isDue())
      if (slices.isDue()) await slices.pause()
    }
    expect(due.flatMap((isDue, at) => (isDue ? [at] : []))).toEqual([5, 10])
  })

  test('goes on alone: of several that paused, each turn of the event loop takes one, first come, first taken', async () => {
    const resumed: string[] = []
    for (const name of ['first', 'second', 'third']) {
      void createSlices()
        .pause()
        .then(() => resumed.push(name))
    }
    const seen: string[] = []
    for (let turns = 0; turns < 4; turns++) {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(resumed.join())
    }
    expect(seen).toEqual(['first', 'first,second', 'first,second,third', 'first,second,third'])
  })
})
