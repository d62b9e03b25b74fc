import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type BodyItems, type ParsedItem, parseItems, parseLines } from '../../src/http/body/parse-json.js'
import { HTTP_LIMITS } from '../../src/http/limits.js'

const schema = z.object({ count: z.int().min(0), name: z.string().optional() })
const declared: BodyItems = { schema, itemsMax: 6, itemBytesMax: 200, each: true }
const bytesOf = (text: string) => new TextEncoder().encode(text)

type Told = readonly [isTaken: boolean, what: unknown]
/** What is told of each item: its value, or the code of its fault and where it is. */
const tell = (items: readonly unknown[] | null): Told[] | null =>
  items === null
    ? null
    : (items as ParsedItem<unknown>[]).map((item) =>
        item.ok ? [true, item.value] : [false, [item.fault.code, item.fault.extras.errors?.[0]?.pointer]],
      )
const array = async (text: string) => tell(await parseItems(bytesOf(text), declared))
const lines = async (text: string) => tell(await parseLines(bytesOf(text), declared))
const codeOf = (refused: Promise<unknown>) =>
  refused.then(
    () => 'taken',
    (error: { code?: string }) => error.code,
  )

describe('items that are taken each for itself', () => {
  it('keep their order, and what is refused of one does not concern the others', async () => {
    expect(await array('[{"count":1}, {"count":-1}, 17, {"count":2,"name":"b"}, {"name":5,"count":3}]')).toEqual([
      [true, { count: 1 }],
      [false, ['validation-failed', '/count']],
      [false, ['validation-failed', '']],
      [true, { count: 2, name: 'b' }],
      [false, ['validation-failed', '/name']],
    ])
  })

  it('are refused alone for what no store keeps, and for their size', async () => {
    expect(await array(`[{"count":1,"name":"\\u0000"}, {"count":1,"name":"${'x'.repeat(200)}"}, {"count":1}]`)).toEqual(
      [
        [false, ['validation-failed', '/name']],
        [false, ['body-too-large', undefined]],
        [true, { count: 1 }],
      ],
    )
  })

  it('on lines are refused alone for being no JSON, cut off or empty', async () => {
    expect(await lines('{"count":1}\n{"cou\n\n{"count":2}\r\n{"count":3')).toEqual([
      [true, { count: 1 }],
      [false, ['malformed-json', undefined]],
      [false, ['malformed-json', undefined]],
      [true, { count: 2 }],
      [false, ['malformed-json', undefined]],
    ])
  })

  it('on lines may end in a line feed or not, and there may be none', async () => {
    expect(await lines('{"count":1}\n')).toEqual(await lines('{"count":1}'))
    expect(await lines('')).toEqual([])
    expect(await array('[]')).toEqual([])
  })

  it('on lines are refused alone for nesting too deep and for bytes that are no UTF-8', async () => {
    const deep = `${'['.repeat(60)}${']'.repeat(60)}`
    expect(await lines(`${deep}\n{"count":1}`)).toEqual([
      [false, ['malformed-json', undefined]],
      [true, { count: 1 }],
    ])
    const broken = Uint8Array.from([...bytesOf('{"count":1}\n"'), 0xff, ...bytesOf('"\n{"count":2}')])
    expect(tell(await parseLines(broken, declared))).toEqual([
      [true, { count: 1 }],
      [false, ['malformed-json', undefined]],
      [true, { count: 2 }],
    ])
  })

  it.each(['[{"count":1}, nope]', '[{"count":1},]', '[{"count":1}', '[1 2]', `[${'['.repeat(60)}${']'.repeat(60)}]`])(
    'of an array that is no JSON are refused together: %s',
    async (text) => {
      expect(await codeOf(array(text))).toBe('malformed-json')
    },
  )

  it('are refused together if they are too many', async () => {
    const six = Array(6).fill('{"count":1}')
    expect(await array(`[${six.join()}]`)).toHaveLength(6)
    expect(await codeOf(array(`[${[...six, '1'].join()}]`))).toBe('validation-failed')
    expect(await codeOf(lines([...six, '1'].join('\n')))).toBe('validation-failed')
  })

  it('are refused together if all of them hold too many values, each of them few enough', async () => {
    const values = Math.floor(HTTP_LIMITS.jsonValuesMax / 2)
    const item = `[${Array(values).fill('1').join()}]`
    const count = Math.ceil(HTTP_LIMITS.jsonListValuesMax / values) + 1
    const large: BodyItems = { ...declared, itemsMax: count, itemBytesMax: item.length }
    const parse = (items: number) => parseItems(bytesOf(`[${Array(items).fill(item).join()}]`), large)
    expect(tell(await parse(2))?.map(([isTaken]) => isTaken)).toEqual([false, false])
    expect(await codeOf(parse(count))).toBe('body-too-large')
  })

  it('are none of a body that is no array', async () => {
    expect(await array('{"count":1}')).toBeNull()
  })
})

describe('items that are taken together', () => {
  it('are refused together, and every fault says which item it is of', async () => {
    const { each: _, ...together } = declared
    const refused = parseItems(bytesOf('[{"count":1},{"count":-1},{"name":5,"count":1}]'), together)
    await expect(refused).rejects.toMatchObject({
      code: 'validation-failed',
      extras: { errors: [{ pointer: '/1/count' }, { pointer: '/2/name' }] },
    })
    expect(await parseItems(bytesOf('[{"count":1}]'), together)).toEqual([{ count: 1 }])
  })
})
