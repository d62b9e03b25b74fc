import { getPublicKeyAsync, signAsync } from '@noble/ed25519'
import { describe, expect, it } from 'vitest'
import { KeyConfigurationError, loadSigningKey } from '../../src/features/receipts/keys/signing-keys.js'
import { createNodeVerifier, publicKeyPem } from '../../src/platform/node-ed25519.js'

/** The key of RFC 8032 section 7.1 test 1, and of RFC 8037 appendix A. */
const SEED = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
const PUBLIC = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
const THUMBPRINT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
const OTHER_PUBLIC = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex')

const load = (privateKey?: string, publicKey?: string, keyId?: string) =>
  loadSigningKey({ privateKey, publicKey, keyId })
const base64url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

describe('the configured key', () => {
  it('is none where nothing is configured', () => {
    expect(load()).toBeNull()
    expect(load(undefined, undefined, 'a-name-alone')).toBeNull()
  })

  it('has the public key that belongs to the private one', () => {
    expect(Buffer.from(load(SEED)?.publicKey.bytes ?? []).toString('base64url')).toBe(PUBLIC)
    expect(load(SEED, PUBLIC)?.sign).toBeTypeOf('function')
  })

  it('is refused where the pair does not match', () => {
    expect(() => load(SEED, OTHER_PUBLIC.toString('base64url'))).toThrow(KeyConfigurationError)
  })

  it('verifies and cannot issue where only the public key is there', () => {
    expect(load(undefined, PUBLIC)).toMatchObject({ keyId: THUMBPRINT, sign: null })
  })

  it('is named by its RFC 7638 thumbprint, or as configured', () => {
    expect(load(SEED)?.keyId).toBe(THUMBPRINT)
    expect(load(SEED, undefined, 'summer-2026')?.keyId).toBe('summer-2026')
  })

  it.each([
    ['a low-order point', `01${'00'.repeat(31)}`],
    ['a point with a torsion component', '0300000000000000000000000000000000000000000000000000000000000080'],
    ['no canonical encoding', `ee${'ff'.repeat(30)}7f`],
  ])('is refused where the public key is %s', (_name, hex) => {
    expect(() => load(undefined, base64url(hex))).toThrow(KeyConfigurationError)
  })

  it.each(['', 'AAAA', `${SEED}=`, `${SEED.slice(0, -1)}B`, `${SEED}AAAA`])(
    'is refused where %j is not 32 bytes in their one spelling',
    (text) => {
      expect(() => load(text)).toThrow(KeyConfigurationError)
    },
  )

  it('says what is wrong without saying a key, and with the exit code for configuration', () => {
    for (const wrong of [() => load(SEED, OTHER_PUBLIC.toString('base64url')), () => load(`${SEED}AAAA`)]) {
      const error = errorOf(wrong)
      expect(error).toMatchObject({ exitCode: 78, code: 'config-fault' })
      expect(`${error.message}${error.stack}`).not.toContain(SEED)
    }
  })
})

describe('signatures', () => {
  it('are the ones that an independent implementation makes', async () => {
    const seed = Buffer.from(SEED, 'base64url')
    const key = load(SEED)
    expect(Buffer.from(key?.publicKey.bytes ?? [])).toEqual(Buffer.from(await getPublicKeyAsync(seed)))
    for (const length of [0, 1, 111, 112, 4_096]) {
      const message = new Uint8Array(length).fill(length)
      expect(Buffer.from(key?.sign?.(message) ?? [])).toEqual(Buffer.from(await signAsync(message, seed)))
    }
  })

  it('verify under their key and under no other', () => {
    const { verifyEd25519 } = createNodeVerifier()
    const key = load(SEED)
    if (key?.sign == null) throw new Error('no key')
    const message = new TextEncoder().encode('what was signed')
    const signature = key.sign(message)
    // Twice: the second answer comes from the kept KeyObject.
    for (const _ of [1, 2]) {
      expect(verifyEd25519(key.publicKey.bytes, message, signature)).toBe(true)
      expect(verifyEd25519(new Uint8Array(OTHER_PUBLIC), message, signature)).toBe(false)
      expect(verifyEd25519(key.publicKey.bytes, message.subarray(1), signature)).toBe(false)
    }
  })
})

it('the PEM is SubjectPublicKeyInfo of RFC 8410', () => {
  const body = publicKeyPem(Buffer.from(PUBLIC, 'base64url')).replace(/-----[A-Z ]+-----|\n/g, '')
  expect(Buffer.from(body, 'base64').toString('hex')).toBe(
    `302a300506032b6570032100${Buffer.from(PUBLIC, 'base64url').toString('hex')}`,
  )
})

function errorOf(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}
