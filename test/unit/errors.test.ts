import { expect, test } from 'vitest'
import { AppError } from '../../src/platform/errors.js'

test('an expected failure carries no stack, and leaves those of other errors alone', () => {
  const error = new AppError('not-found', 'Nothing here.', { cause: new Error('why') })
  expect(error.stack).toBe('AppError: Nothing here.')
  expect((error.cause as Error).stack).toContain('errors.test.ts')
  expect(new Error('unexpected').stack).toContain('errors.test.ts')
})
