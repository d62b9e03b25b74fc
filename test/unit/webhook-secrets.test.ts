import { describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { retryPauseMs } from '../../src/features/webhooks/retry-pause.js'
import { createVault } from '../../src/features/webhooks/seal-secret.js'
import { makeSecret, readSecret } from '../../src/features/webhooks/secret-text.js'
import { signDelivery } from '../../src/features/webhooks/sign-delivery.js'

const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' as ProjectId
const OTHER = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e12' as ProjectId
const secret = Buffer.from('a secret of a webhook, 32 bytes.')

describe('the secret of a webhook', () => {
  const textOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 5).toString('base64')}`

  test('is whsec_ and the base64 of 24 to 64 bytes', () => {
    expect([23, 24, 64, 65].map((bytes) => readSecret(textOf(bytes))?.length)).toEqual([undefined, 24, 64, undefined])
    expect(readSecret(textOf(32))).toEqual(Buffer.alloc(32, 5))
  })

  test.each([
    textOf(32).slice(6),
    textOf(32).replace('whsec_', 'whsk_'),
    textOf(32).replace('=', ''),
    `${textOf(32)}\n`,
    `whsec_ ${textOf(32).slice(6)}`,
    `whsec_${Buffer.alloc(32, 255).toString('base64url')}=`,
    textOf(32).replace(/.=$/, 'V='),
    'whsec_',
    '',
  ])('has one spelling, which is not %j', (text) => {
    expect(readSecret(text)).toBeUndefined()
  })

  test('that is made is a new one each time, of 256 bits', () => {
    const [one, other] = [makeSecret(), makeSecret()]
    expect(one).not.toBe(other)
    expect(readSecret(one)?.length).toBe(32)
  })

  test('is sealed so that only its own project’s row gives it back', () => {
    const vault = createVault(['the first service secret'])
    const sealed = vault.seal(PROJECT, secret)
    if (sealed === undefined) throw new Error('not sealed')
    expect(Buffer.from(sealed.bytes).includes(secret)).toBe(false)
    expect(vault.open(PROJECT, sealed)).toEqual(secret)
    expect(vault.open(OTHER, sealed)).toBeUndefined()
    const changed = Buffer.from(sealed.bytes)
    changed.writeUInt8(changed.readUInt8(30) ^ 1, 30)
    expect(vault.open(PROJECT, { ...sealed, bytes: changed })).toBeUndefined()
    expect(vault.open(PROJECT, { ...sealed, bytes: sealed.bytes.subarray(0, 20) })).toBeUndefined()
    expect(vault.open(PROJECT, { ...sealed, bytes: new Uint8Array() })).toBeUndefined()
    expect(vault.seal(PROJECT, secret)?.bytes).not.toEqual(sealed.bytes)
  })

  test('outlives the replacement of the service’s secret while the previous one is there', () => {
    const sealed = createVault(['previous']).seal(PROJECT, secret)
    if (sealed === undefined) throw new Error('not sealed')
    const replaced = createVault(['new', 'previous'])
    expect(replaced.open(PROJECT, sealed)).toEqual(secret)
    expect(replaced.seal(PROJECT, secret)?.keyId).not.toBe(sealed.keyId)
    expect(createVault(['new']).open(PROJECT, sealed)).toBeUndefined()
  })

  test('is not sealed without a secret of the service', () => {
    expect(createVault([]).seal(PROJECT, secret)).toBeUndefined()
  })
})

describe('a signature', () => {
  test('is the one that the specification’s own library computes', () => {
    // Computed by the library of the specification's authors, for these inputs.
    const key = readSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') ?? new Uint8Array()
    const delivery = { place: 1, id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' }
    expect(signDelivery(delivery, key, 1_614_265_330_999)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })
})

describe('the wait after failures', () => {
  const pauses = (random: number) => [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => retryPauseMs(failures, 0, random))

  test('grows to an hour, a tenth more or less', () => {
    const middle = [5_000, 20_000, 80_000, 320_000, 1_280_000, 3_600_000, 3_600_000, 3_600_000]
    expect(pauses(0.5)).toEqual(middle)
    expect(pauses(0)).toEqual(middle.map((ms) => ms * 0.9))
    expect(pauses(1)).toEqual(middle.map((ms) => Math.round(ms * 1.1)))
  })

  test('is what the receiver asks for, if that is longer and no more than an hour', () => {
    expect(retryPauseMs(1, 60, 0.5)).toBe(60_000)
    expect(retryPauseMs(1, 2, 0.5)).toBe(5_000)
    expect(retryPauseMs(1, 999_999_999, 0.5)).toBe(3_600_000)
  })
})
