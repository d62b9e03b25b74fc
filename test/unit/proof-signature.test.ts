import { describe, expect, it } from 'vitest'
import {
  encodeBase64url,
  formatSignature,
  parseSignature,
  type VerifierDeps,
  verifySignature,
} from '../../src/core/ed25519/index.js'
import { bytesOf, lenientLowOrderEncodings, littleEndian, ORDER } from './proof-curve.js'
import { checkedKey, hexBytes, nodeVerifier, portableVerifier, signerOfByte } from './proof-fixtures.js'

const message = new TextEncoder().encode('a message')
const signer = signerOfByte(7)
const signature = signer.sign(message)
const text = formatSignature(signature)
const reasonOf = (signatureText: string) => {
  const result = parseSignature(signatureText)
  return result.ok ? 'accepted' : result.reason
}
const withS = (s: bigint) => formatSignature(Uint8Array.from([...signature.subarray(0, 32), ...bytesOf(s)]))
const withR = (r: Uint8Array) => formatSignature(Uint8Array.from([...r, ...signature.subarray(32)]))

describe('the text of a signature', () => {
  it('has one spelling, which is taken', () => {
    expect(text).toMatch(/^ed25519:[A-Za-z0-9_-]{86}$/)
    expect(parseSignature(text)).toEqual({ ok: true, bytes: signature })
  })

  it('of the 16 last characters that lenient decoders read alike, 15 are refused', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const alike = Array.from(alphabet, (last) => text.slice(0, -1) + last).filter((spelling) =>
      Buffer.from(spelling.slice(8), 'base64url').equals(Buffer.from(signature)),
    )
    expect(alike).toHaveLength(16)
    expect(alike.filter((spelling) => reasonOf(spelling) !== 'accepted')).toHaveLength(15)
    expect(alike.map(reasonOf).filter((reason) => reason === 'not-canonical-base64url')).toHaveLength(15)
  })

  it.each([
    ['no prefix', text.slice(8), 'missing-prefix'],
    ['an upper-case prefix', `ED25519:${text.slice(8)}`, 'missing-prefix'],
    ['another algorithm', `ed448:${text.slice(8)}`, 'missing-prefix'],
    ['a space before it', ` ${text}`, 'missing-prefix'],
    ['nothing in it', '', 'missing-prefix'],
    ['nothing but the prefix', 'ed25519:', 'wrong-length'],
    ['one character less', text.slice(0, -1), 'wrong-length'],
    ['one character more', `${text}A`, 'wrong-length'],
    ['padding', `${text}==`, 'wrong-length'],
    ['a line end', `${text}\n`, 'wrong-length'],
    ['padding in place of characters', `${text.slice(0, -2)}==`, 'not-canonical-base64url'],
    ['a plus', `${text.slice(0, -2)}+A`, 'not-canonical-base64url'],
    ['63 bytes', formatSignature(signature.subarray(1)), 'wrong-length'],
    ['65 bytes', formatSignature(Uint8Array.from([...signature, 0])), 'wrong-length'],
  ])('with %s is refused', (_, spelling, reason) => {
    expect(reasonOf(spelling)).toBe(reason)
  })

  it('S is taken up to L - 1 and refused from L on', () => {
    expect([0n, 1n, ORDER - 1n].map(withS).map(reasonOf)).toEqual(Array(3).fill('accepted'))
    const tooLarge = [ORDER, ORDER + 1n, 2n ** 252n + 2n ** 125n, 2n ** 253n, 2n ** 255n, 2n ** 256n - 1n]
    expect(tooLarge.map(withS).map(reasonOf)).toEqual(Array(6).fill('s-out-of-range'))
  })

  it('the second signature that S + L would make is refused', () => {
    expect(reasonOf(withS(littleEndian(signature.subarray(32)) + ORDER))).toBe('s-out-of-range')
  })

  it('R is refused in each of the 14 encodings of a point of low order', () => {
    expect(lenientLowOrderEncodings().map(withR).map(reasonOf)).toEqual(Array(14).fill('low-order-r'))
  })
})

describe.each([
  ['node:crypto', nodeVerifier()],
  ['the portable verifier', portableVerifier()],
])('a signature under %s', (_, verifier) => {
  const verdict = (key = signer.key, bytes: Uint8Array = message, spelling = text) =>
    verifySignature(verifier, key, bytes, spelling)
  const mismatch = { ok: false, reason: 'signature-mismatch' }

  it('is good for its message and its key, and for no other', () => {
    expect(verdict()).toEqual({ ok: true })
    expect(verdict(signer.key, new TextEncoder().encode('another message'))).toEqual(mismatch)
    expect(verdict(signerOfByte(8).key)).toEqual(mismatch)
  })

  it('is good no more once any of its bytes has changed', () => {
    for (let at = 0; at < 64; at += 1) {
      const forged = Uint8Array.from(signature)
      forged[at] = (forged[at] ?? 0) ^ 1
      expect(verdict(signer.key, message, formatSignature(forged)).ok).toBe(false)
    }
  })

  it('is never asked of the verifier where its text is no good', () => {
    const deps = { verifyEd25519: () => true }
    expect(verifySignature(deps, signer.key, message, `ed25519:${encodeBase64url(new Uint8Array(64))}`)).toEqual({
      ok: false,
      reason: 'low-order-r',
    })
  })

  it.each([
    [
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
  ])('RFC 8032 section 7.1: the published signature under %s is good', (publicKey, said, published) => {
    const spelling = formatSignature(hexBytes(published))
    expect(verdict(checkedKey(hexBytes(publicKey)), hexBytes(said), spelling)).toEqual({ ok: true })
  })
})

describe('the portable verifier by itself', () => {
  const { verifyEd25519 } = portableVerifier()
  const scalar = littleEndian(signature.subarray(32))
  const signatureOf = (s: bigint) => Uint8Array.from([...signature.subarray(0, 32), ...bytesOf(s)])

  it('answers no, and throws nothing, where S is not below L, the key no point, or a length wrong', () => {
    expect(verifyEd25519(signer.key.bytes, message, signatureOf(scalar))).toBe(true)
    expect(verifyEd25519(signer.key.bytes, message, signatureOf(scalar + ORDER))).toBe(false)
    expect(verifyEd25519(bytesOf(2n), message, signature)).toBe(false)
    expect(verifyEd25519(signer.key.bytes.subarray(1), message, signature)).toBe(false)
    expect(verifyEd25519(new Uint8Array(99), new Uint8Array(0), signature)).toBe(false)
    expect(verifyEd25519(signer.key.bytes, message, signature.subarray(1))).toBe(false)
    expect(verifyEd25519(signer.key.bytes, message, Uint8Array.from([...signature, 0]))).toBe(false)
  })
})

describe('a verifier that answers later', () => {
  it('gives the same verdict, later', async () => {
    const verifier = nodeVerifier()
    const later: VerifierDeps = { verifyEd25519: async (...given) => verifier.verifyEd25519(...given) }
    const pending = verifySignature(later, signer.key, message, text)
    expect(pending).toBeInstanceOf(Promise)
    expect(await pending).toEqual({ ok: true })
    expect(await verifySignature(later, signer.key, new Uint8Array(1), text)).toMatchObject({ ok: false })
  })

  it('that breaks is no verdict', async () => {
    const broken = { verifyEd25519: () => Promise.reject(new Error('no such algorithm')) }
    await expect(verifySignature(broken, signer.key, message, text)).rejects.toThrow('no such algorithm')
  })
})
