import { connect } from 'node:net'
import { DrizzleQueryError } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { describeError } from '../../src/platform/logger.js'

describe('what a log line says of an error', () => {
  it('is never the parameters of a failed query, though the ORM writes them into its message', () => {
    const cause = Object.assign(new Error('duplicate key value violates unique constraint'), { code: '23505' })
    const error = new DrizzleQueryError('insert into aliases values ($1)', ['a tenant’s secret'], cause)
    expect(`${error.message} ${error.stack}`).toContain('secret')
    expect(JSON.stringify(describeError(error))).not.toContain('secret')
    expect(describeError(error)).toMatchObject({ message: cause.message, code: '23505' })
    expect(JSON.stringify(describeError(new DrizzleQueryError('select $1', ['secret'])))).not.toContain('secret')
  })

  it('has a stack where this program may be at fault, and none for what is away', async () => {
    expect(describeError(new TypeError('x is undefined'))).toHaveProperty('stack')
    expect(describeError(Object.assign(new Error('a bad value'), { code: '22P02' }))).toHaveProperty('stack')
    const refused = await new Promise((resolve) => connect(9, '127.0.0.1').once('error', resolve))
    expect(describeError(refused)).toEqual({
      name: 'Error',
      message: 'connect ECONNREFUSED 127.0.0.1:9',
      code: 'ECONNREFUSED',
    })
    const lost = new DrizzleQueryError('select 1', [], Object.assign(new Error('lost'), { code: 'CONNECTION_CLOSED' }))
    expect(describeError(lost)).not.toHaveProperty('stack')
    const shutOut = Object.assign(new Error('password authentication failed for user "a"'), { code: '28P01' })
    expect(describeError(shutOut)).toEqual({ name: 'Error', message: shutOut.message, code: '28P01' })
  })
})
