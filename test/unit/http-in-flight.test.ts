import { describe, expect, test } from 'vitest'
import { createInFlight } from '../../src/http/listen/in-flight.js'

describe('the requests under way', () => {
  test('are as many as one address may have, and others have theirs', () => {
    const inFlight = createInFlight({ totalMax: 5, perAddressMax: 2 })
    expect(['a', 'a', 'a', 'b', 'b'].map(inFlight.enter)).toEqual([true, true, false, true, true])
    expect([inFlight.enter('c'), inFlight.count()]).toEqual([false, 6])
  })

  test('are counted back when they are over, refused or not', () => {
    const inFlight = createInFlight({ totalMax: 3, perAddressMax: 2 })
    for (let round = 0; round < 3; round++) {
      expect(['a', 'a', 'a', 'b'].map(inFlight.enter)).toEqual([true, true, false, false])
      for (const network of ['a', 'a', 'a', 'b']) inFlight.leave(network)
      expect([inFlight.count(), inFlight.addresses()]).toEqual([0, 0])
    }
  })
})
