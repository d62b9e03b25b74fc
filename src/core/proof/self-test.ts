import { checkPublicKey, formatSignature, verifySignature } from '../ed25519/index.js'
import { canonicalJson } from '../json/index.js'
import { hashLeaf, openCheckpoint, type ProofDeps, parseNote, parseNoteKey, verifyInclusion } from '../tlog/index.js'
import { DOUBLES, LOW_ORDER_KEY, MEMBERS, SIGNATURES, WORKED_LOG } from './published-vectors.js'

/** How a published vector came out here. */
export type SelfTestResult = { readonly name: string; readonly ok: boolean; readonly detail: string }

const utf8 = new TextEncoder()
const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16))
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Tries this machine's verifier and this program on vectors that others published, and on those that they refuse. */
export async function runSelfTest(deps: ProofDeps): Promise<readonly SelfTestResult[]> {
  const results: SelfTestResult[] = []
  const expectEqual = (name: string, found: unknown, wanted: unknown): void => {
    const ok = found === wanted
    results.push({ name, ok, detail: ok ? 'as published' : `found ${String(found)}, published is ${String(wanted)}` })
  }
  await trySignatures(deps, expectEqual)
  for (const [bits, text] of DOUBLES) {
    const double = new DataView(bytesOf(bits).buffer).getFloat64(0)
    const written = canonicalJson([double])
    expectEqual(`RFC 8785 appendix B, ${bits}`, written.ok ? written.text.slice(1, -1) : written.reason, text)
  }
  const sorted = canonicalJson(MEMBERS.value)
  expectEqual('RFC 8785 section 3.2.3, order of names', sorted.ok ? sorted.text : sorted.reason, MEMBERS.text)
  await tryWorkedLog(deps, expectEqual)
  return results
}

type ExpectEqual = (name: string, found: unknown, wanted: unknown) => void

async function trySignatures(deps: ProofDeps, expectEqual: ExpectEqual): Promise<void> {
  for (const { name, publicKey, message, signature } of SIGNATURES) {
    const checked = checkPublicKey(bytesOf(publicKey))
    if (!checked.ok) {
      expectEqual(`RFC 8032 ${name}`, checked.reason, 'a key')
      continue
    }
    const text = formatSignature(bytesOf(signature))
    const good = await verifySignature(deps, checked.key, bytesOf(message), text)
    expectEqual(`RFC 8032 ${name}`, good.ok ? 'good' : good.reason, 'good')
    const changed = await verifySignature(deps, checked.key, bytesOf(`${message}00`), text)
    expectEqual(`RFC 8032 ${name}, another message`, changed.ok ? 'good' : changed.reason, 'signature-mismatch')
  }
  const lowOrder = checkPublicKey(bytesOf(LOW_ORDER_KEY))
  expectEqual('a key of low order', lowOrder.ok ? 'good' : lowOrder.reason, 'low-order')
}

async function tryWorkedLog(deps: ProofDeps, expectEqual: ExpectEqual): Promise<void> {
  const { log, witness, note, leaf, proof, time } = WORKED_LOG
  const [logKey, witnessKey] = [log, witness].map((text) => parseNoteKey(deps.sha256, text))
  const parsed = parseNote(utf8.encode(note))
  expectEqual('the worked log, its keys', logKey?.ok === true && witnessKey?.ok === true && parsed.ok, true)
  if (logKey?.ok !== true || witnessKey?.ok !== true || !parsed.ok) return
  const opened = await openCheckpoint(deps, { logs: [logKey.key], witnesses: [witnessKey.key] }, parsed.note)
  expectEqual('the worked log, its checkpoint', opened.ok ? opened.cosignatures[0]?.time : opened.reason, time)
  if (!opened.ok) return
  const hash = hashLeaf(deps.sha256, utf8.encode('a'))
  expectEqual('the worked log, the leaf of "a"', hexOf(hash), leaf)
  const { size, root } = opened.checkpoint
  const claim = { leaf: hash, index: 0, size, proof: proof.map(bytesOf), root }
  const verdict = verifyInclusion(deps.sha256, claim)
  expectEqual('the worked log, "a" is in it', verdict.ok ? 'in it' : verdict.reason, 'in it')
}
