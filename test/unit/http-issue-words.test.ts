import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { validate } from '../../src/http/validate.js'

function messageOf(schema: z.ZodType, value: unknown): string {
  try {
    validate(schema, value, '')
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('the value is valid')
}

describe('what is wrong with a value is said in our own words', () => {
  test.each<[string, z.ZodType, unknown]>([
    ['/a: is required', z.object({ a: z.string() }), {}],
    ['/a: is required', z.object({ a: z.union([z.string(), z.number()]) }), {}],
    ['/a: is required', z.object({ a: z.enum(['x', 'y']) }), {}],
    ['must be a string', z.string(), 1],
    ['must be a number', z.number(), 'x'],
    ['must be a number', z.number(), Number.NaN],
    ['must be a whole number', z.number().int(), 1.5],
    ['must be true or false', z.boolean(), 'yes'],
    ['must be an object', z.object({}), []],
    ['must be an object', z.record(z.string(), z.string()), 'x'],
    ['must be a list', z.array(z.string()), {}],
    ['must be one of x, y', z.enum(['x', 'y']), 'z'],
    ['must be USD', z.literal('USD'), 'EUR'],
    ['must be a string or a number', z.union([z.string(), z.number()]), {}],
    ['must be at most 3', z.union([z.string(), z.number().max(3)]), 4],
    ['must be a UUID', z.uuid(), 'x'],
    ['must be a time like 2026-01-31T12:00:00Z', z.iso.datetime(), 'x'],
    ['must be in the form that the document shows', z.string().regex(/^a$/), 'x'],
    ['must not be empty', z.string().min(1), ''],
    ['must not be empty', z.array(z.string()).min(1), []],
    ['must have at least 2 characters', z.string().min(2), 'x'],
    ['must have at most 1 character', z.string().max(1), 'xy'],
    ['must have at most 2 items', z.array(z.number()).max(2), [1, 2, 3]],
    ['must be at least 0', z.number().min(0), -1],
    ['must be more than 0', z.number().gt(0), 0],
    ['must be less than 9', z.number().lt(9), 9],
    ['must be a multiple of 5', z.number().multipleOf(5), 7],
    ['has members that are not known here: b, c', z.strictObject({}), { b: 1, c: 2 }],
    [
      '/b: has a member whose name is not allowed',
      z.record(z.enum(['a']).or(z.string().max(0)), z.string()),
      { b: '' },
    ],
    ['is not allowed', z.string().refine(() => false), 'x'],
    ['must be odd', z.number().refine(() => false, 'must be odd'), 2],
  ])('%s', (words, schema, value) => {
    expect(messageOf(schema, value)).toBe(words)
  })
})
