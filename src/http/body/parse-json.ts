import type { z } from '@hono/zod-openapi'
import { AppError } from '../../platform/errors.js'
import { createSlices } from '../../platform/slices.js'
import { HTTP_LIMITS } from '../limits.js'
import { IN_OUR_WORDS, invalid, issuesOf } from '../validate.js'
import { unkeepableValues } from './json-guard.js'
import {
  findItems,
  findLines,
  type ItemsResult,
  type SurveyLimits,
  type SurveyResult,
  surveyJson,
} from './survey-json.js'

export type JsonBody = { readonly value: unknown; readonly text: string }

/**
 * A body that is a list of many things: each is parsed and checked on its own, and other requests are served between.
 */
export type BodyItems = {
  readonly schema: z.ZodType
  /** The very thing that `schema` makes of an item which is plainly right; undefined leaves it to the schema. */
  readonly plain?: (value: unknown) => unknown
  readonly itemsMax: number
  readonly itemBytesMax: number
  /** One that is refused does not refuse the others: each item is a `ParsedItem`. */
  readonly each?: true
}

/** An item of a body, or why it was refused; pointers begin at the item. */
export type ParsedItem<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: AppError }

type Surveyed = Extract<SurveyResult, { ok: true }>

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })
/** A byte order mark may stand before JSON, not before an item of it; of a text it is a part. */
const itemUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses a JSON body, once it is known how much is in it. An empty one gives `undefined`. Throws `malformed-json`,
 * `body-too-large` for more values than `HTTP_LIMITS` has, and `validation-failed` for values that no store can keep.
 */
export function parseJson(bytes: Uint8Array): JsonBody {
  if (bytes.length === 0) return { value: undefined, text: '' }
  const { suspect } = survey(bytes, { ...KEPT, nestingLevelsMax: HTTP_LIMITS.jsonDepthMax })
  const text = decode(strictUtf8, bytes)
  return { value: keepable(parse(text), suspect, ''), text }
}

/** The same of a body that is passed on: it may hold more, and values that no store keeps. Its text is not made. */
export function parsePassed(bytes: Uint8Array): JsonBody {
  if (bytes.length === 0) return { value: undefined, text: '' }
  surveyPassed(bytes)
  return { value: parse(decode(strictUtf8, bytes)), text: '' }
}

/** The same of a large one, between whose steps other requests have their turns: each takes 30 ms for 30 MiB. */
export async function parsePassedInSteps(bytes: Uint8Array): Promise<JsonBody> {
  if (bytes.length <= HTTP_LIMITS.passedStepBytes) return parsePassed(bytes)
  const slices = createSlices()
  surveyPassed(bytes)
  await slices.pause()
  const text = decode(strictUtf8, bytes)
  await slices.pause()
  return { value: parse(text), text: '' }
}

function surveyPassed(bytes: Uint8Array): void {
  const { passedDepthMax, passedValuesMax, passedNamesMax } = HTTP_LIMITS
  survey(bytes, { nestingLevelsMax: passedDepthMax, valuesMax: passedValuesMax, namesMax: passedNamesMax })
}

/**
 * A body that is a text. Throws `malformed-request` for what is not UTF-8, and `validation-failed` for U+0000 in it.
 */
export function parseText(bytes: Uint8Array): JsonBody {
  const text = decode(itemUtf8, bytes, 'malformed-request')
  return { value: keepable(text, true, ''), text }
}

/**
 * The items of a body that is an array; null for a body that is none. Throws what `parseJson` throws, and
 * `validation-failed` with the first faults.
 */
export async function parseItems(bytes: Uint8Array, declared: BodyItems): Promise<unknown[] | null> {
  const found = findItems(bytes, declared.itemsMax)
  return !found.ok && found.reason === 'no-array' ? null : parseFound(bytes, found, declared, 'array')
}

/** The items of a body with one on each line (NDJSON). The last line may end without a line feed; none may be empty. */
export function parseLines(bytes: Uint8Array, declared: BodyItems): Promise<unknown[]> {
  return parseFound(bytes, findLines(bytes, declared.itemsMax), declared, 'lines')
}

async function parseFound(
  bytes: Uint8Array,
  found: ItemsResult,
  declared: BodyItems,
  form: 'array' | 'lines',
): Promise<unknown[]> {
  const { itemsMax, each = false } = declared
  if (!found.ok && found.reason === 'too-many-items') {
    throw invalid([{ pointer: '', message: `must have at most ${itemsMax} items` }])
  }
  if (!found.ok) throw notWellFormed()
  const { borders } = found
  const items: unknown[] = []
  const faults: z.core.$ZodIssue[] = []
  const slices = createSlices()
  const left = { values: HTTP_LIMITS.jsonListValuesMax }
  for (let index = 0; index + 1 < borders.length; index += 1) {
    if (slices.isDue()) await slices.pause()
    const item = bytes.subarray((borders[index] as number) + 1, borders[index + 1])
    if (each) {
      const parsed = parseAlone(item, declared, left)
      // An array with an item that is no JSON is no JSON either; lines are texts of their own.
      if (form === 'array' && !parsed.ok && parsed.fault.code === 'malformed-json') throw parsed.fault
      items.push(parsed)
      continue
    }
    const parsed = parseItem(item, declared, left, { part: ` in item ${index}`, pointer: `/${index}` })
    if (parsed.success) items.push(parsed.data)
    else faults.push(...parsed.error.issues.map((issue) => ({ ...issue, path: [index, ...issue.path] })))
    if (faults.length >= HTTP_LIMITS.errorsShownMax) break
  }
  if (faults.length > 0) throw invalid(issuesOf(faults, ''))
  return items
}

type Left = { values: number }

function parseItem(
  item: Uint8Array,
  { schema, plain, itemBytesMax }: BodyItems,
  left: Left,
  { part, pointer }: { part: string; pointer: string },
) {
  if (item.length > itemBytesMax) throw tooMany(itemBytesMax, 'bytes in one item')
  const surveyed = survey(item, { ...KEPT, nestingLevelsMax: HTTP_LIMITS.jsonDepthMax - 1 })
  left.values -= surveyed.values
  if (left.values < 0) throw tooMany(HTTP_LIMITS.jsonListValuesMax, 'values')
  const value = parse(decode(itemUtf8, item), part)
  const sent = keepable(value, surveyed.suspect, pointer)
  const data = plain?.(sent)
  return data === undefined ? schema.safeParse(sent, IN_OUR_WORDS) : { success: true as const, data }
}

/** An item whose faults are its own. Throws only if all items together hold too much. */
function parseAlone(item: Uint8Array, declared: BodyItems, left: Left): ParsedItem<unknown> {
  try {
    const parsed = parseItem(item, declared, left, { part: '', pointer: '' })
    return parsed.success
      ? { ok: true, value: parsed.data }
      : { ok: false, fault: invalid(issuesOf(parsed.error.issues, '')) }
  } catch (error) {
    if (left.values < 0 || !(error instanceof AppError)) throw error
    return { ok: false, fault: error }
  }
}

const KEPT = { valuesMax: HTTP_LIMITS.jsonValuesMax, namesMax: HTTP_LIMITS.jsonNamesMax }

function survey(bytes: Uint8Array, limits: SurveyLimits): Surveyed {
  const surveyed = surveyJson(bytes, limits)
  if (surveyed.ok) return surveyed
  if (surveyed.reason === 'too-many-values') throw tooMany(limits.valuesMax, 'values')
  if (surveyed.reason === 'too-many-names') throw tooMany(limits.namesMax, "members' names")
  // An item stands one level deep in its list.
  const levelsMax = Math.max(limits.nestingLevelsMax, HTTP_LIMITS.jsonDepthMax)
  throw new AppError('malformed-json', `The body nests deeper than ${levelsMax} levels.`)
}

function keepable(value: unknown, suspect: boolean, pointer: string): unknown {
  const errors = suspect ? unkeepableValues(value, pointer) : []
  if (errors.length > 0) throw invalid(errors)
  return value
}

function decode(
  utf8: typeof strictUtf8,
  bytes: Uint8Array,
  code: 'malformed-json' | 'malformed-request' = 'malformed-json',
): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new AppError(code, 'The body is not valid UTF-8.')
  }
}

function parse(text: string, part = ''): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw notWellFormed(/at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1], part)
  }
}

function notWellFormed(character?: string, part = ''): AppError {
  const where = character === undefined ? '' : ` at character ${character}`
  return new AppError('malformed-json', `The body is not well-formed JSON${where}${part}.`)
}

function tooMany(most: number, what: string): AppError {
  return new AppError('body-too-large', `The body holds more than ${most} ${what}.`)
}
