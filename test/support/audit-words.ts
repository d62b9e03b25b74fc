/** What is said of each case of the table that is not good: the check, how it came out, and why, in plain words. */
export const AUDIT_WORDS: Readonly<Record<string, readonly string[]>> = {
  'one witness of two': [
    'witnesses unwitnessed: 1 of the 2 pinned witnesses cosigned it, the first at 2026-03-01T12:00:10.000Z: fewer than the policy asks for.',
  ],
  'no witness': ['witnesses unwitnessed: 0 of the 2 pinned witnesses cosigned it: fewer than the policy asks for.'],
  'a checkpoint of an hour later': [
    'issued-at undecided: Could not be decided: the checkpoint was seen at 2026-03-01T13:00:00.000Z, long after 2026-03-01T12:00:02.000Z. A proof under an earlier checkpoint would tell.',
    'merge-delay undecided: Could not be decided: the checkpoint was seen at 2026-03-01T13:00:00.000Z, long after 2026-03-01T12:00:02.000Z. A proof under an earlier checkpoint would tell.',
  ],
  'no proof': ['inclusion undecided: No log proof was given: nothing shows that it is in the log.'],
  'keys that came with the receipt, and nobody asked for': [
    'key undecided: No keys are pinned, so there is nothing to check the signature with.',
  ],
  'no keys': ['key undecided: No keys are pinned, so there is nothing to check the signature with.'],
  'no policy': ['checkpoint undecided: No log is pinned, so there is no key to check the checkpoint with.'],
  'a key that is not pinned': ['key undecided: Key "key-1" is not known here.'],
  'a log that is not pinned': [
    'origin undecided: The policy does not know the log receipts.example/log1.',
    'checkpoint undecided: It is of a log that is not pinned.',
  ],
  'a package without receipts': ['chain undecided: It holds no receipts.'],
  'a package whose keys are not pinned': [
    'checkpoint undecided: No log is pinned, so there is no key to check the checkpoint with.',
    'key undecided: No keys are pinned, so there is nothing to check the signature with.',
  ],
  'a changed amount': [
    'signature failed: The signature does not fit these bytes and this key.',
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
  ],
  'a bad signature': [
    'signature failed: The signature does not fit these bytes and this key.',
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
  ],
  'S + L in place of S': [
    'signature-encoding failed: The S of the signature is not below the group order.',
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
  ],
  'another spelling of the signature': [
    'signature-encoding failed: The signature is not "ed25519:" and 86 characters.',
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
  ],
  'another key under the same id': ['signature failed: The signature does not fit these bytes and this key.'],
  'a key that was not in use yet': [
    'key-period failed: It was issued before its key was in use (2026-03-02T00:00:00.000Z).',
  ],
  'a key that was retired long ago': [
    'key-period failed: It was issued after its key was retired (2026-02-01T00:00:00.000Z).',
  ],
  'a receipt of another project': [
    'project failed: It was issued to another-project, not to 0198f0c2-0000-7000-8000-000000000001.',
    'inclusion undecided: No log proof was given: nothing shows that it is in the log.',
  ],
  'no receipt at all': [
    'structure failed: A receipt is a JSON object.',
    'inclusion undecided: No log proof was given: nothing shows that it is in the log.',
  ],
  'a name that occurs twice': ['text failed: It is not one clear JSON text (duplicate-name at /model).'],
  'a name that occurs twice in a package': ['text failed: Line 2: It is not one clear JSON text (duplicate-name).'],
  'half a surrogate pair': ['text failed: It is not one clear JSON text (lone-surrogate at /alias).'],
  'bytes that are no UTF-8': ['text failed: It is not one clear JSON text (not-utf8).'],
  '2^53 + 1': [
    'canonical failed: It holds an integer beyond 2^53 - 1, which readers round differently, at /tokens/input.',
  ],
  'a file that ends too soon': ['text failed: It is not one clear JSON text (syntax).'],
  'a file that never ends': ['text failed: It is longer than 1048576 bytes: no receipt is.'],
  '1.0 in a file that has to be canonical': ['text failed: It is not one clear JSON text (not-canonical).'],
  'white space in a file that has to be canonical': ['text failed: It is not one clear JSON text (not-canonical).'],
  '-0 in a file that has to be canonical': ['text failed: It is not one clear JSON text (not-canonical).'],
  'a proof that is none': ['inclusion failed: What was given as its log proof is none (not-a-log-proof).'],
  'a proof in which a name occurs twice': [
    'inclusion failed: What was given as its log proof is none (duplicate-name).',
  ],
  'another root': ['inclusion failed: The proof does not lead to the root (root-mismatch).'],
  'another index': ['inclusion failed: The proof does not lead to the root (root-mismatch).'],
  'the proof of another receipt': ['inclusion failed: The proof does not lead to the root (root-mismatch).'],
  'the proof of another log': [
    'origin failed: It promises the log receipts.example/log1, and the proof is of receipts.example/log2.',
  ],
  'a receipt that promises another log than its issuer': [
    'origin failed: Its issuer is receipts.example/log1, and it promises the log receipts.example/log2.',
  ],
  'a checkpoint that the log did not sign': ['checkpoint failed: The pinned key of the log did not sign it.'],
  'a checkpoint that only a key of another type signed': [
    'checkpoint failed: The pinned key of the log did not sign it.',
  ],
  'a bad cosignature': ['checkpoint failed: The signature of witness.example/w1 is bad (signature-mismatch).'],
  'a checkpoint with an extension': ['checkpoint failed: The proof ends in no checkpoint (not-three-lines).'],
  'another tree of the same size': [
    'history failed: receipts.example/log1 signed two trees of 10 entries with different roots: it shows two histories.',
  ],
  'a package of another log': [
    'origin failed: It is of receipts.example/log2, and its checkpoint of receipts.example/log1.',
  ],
  'dated back: a witness saw the log without it later': [
    'issued-at failed: At 2026-03-01T13:00:00.000Z a witness saw the log without it, and it says it was issued at 2026-03-01T12:00:02.000Z. Either it was dated back, or it was logged too late.',
    'merge-delay failed: At 2026-03-01T13:00:00.000Z a witness saw the log without it, and it says it was issued at 2026-03-01T12:00:02.000Z. Either it was dated back, or it was logged too late.',
  ],
  'dated back, and it does not matter when': [
    'issued-at failed: At 2026-03-01T13:00:00.000Z a witness saw the log without it, and it says it was issued at 2026-03-01T12:00:02.000Z. Either it was dated back, or it was logged too late.',
    'merge-delay failed: At 2026-03-01T13:00:00.000Z a witness saw the log without it, and it says it was issued at 2026-03-01T12:00:02.000Z. Either it was dated back, or it was logged too late.',
  ],
  'seen by a witness before it was issued': [
    'issued-at failed: A witness saw it in the log at 2026-03-01T11:00:00.000Z, before it says it was issued (2026-03-01T12:00:02.000Z).',
    'merge-delay failed: A witness saw it in the log at 2026-03-01T11:00:00.000Z, before it says it was issued (2026-03-01T12:00:02.000Z).',
  ],
  'a gap in the numbers': ['chain failed: Number 2 is missing.'],
  'a gap before an erased receipt': ['chain failed: Number 2 is missing.'],
  'receipts in another order': ['chain failed: Number 1 stands behind number 2.'],
  'a receipt twice': ['chain failed: Number 1 stands behind number 1.'],
  'a rewritten receipt': [
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
    'chain failed: It names another receipt as number 2 than the one that stands here.',
    'history failed: Number 3 names another number 2 than the one shown.',
  ],
  'the number of another line': ['chain failed: Its line says number 3, and the receipt 2.'],
  'a receipt of another project in a package': [
    'chain failed: It is of another project than number 1.',
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
  ],
  'a place that goes back': [
    'chain failed: It stands in the log before number 1 (0, 1): the order was changed.',
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
  ],
  'a line that is not covered': ['inclusion undecided: No log proof was given: nothing shows that it is in the log.'],
  'a line that is none': ['text failed: Line 3: It has neither a receipt nor an entry.'],
  'an erased receipt with the wrong entry': [
    'inclusion failed: The proof does not lead to the root (root-mismatch).',
    'chain failed: It stands in the log before number 2 (5, 7): the order was changed.',
  ],
  'a chain in another log of the same operator': [
    'inclusion failed: The proof does not lead to the root (proof-too-long).',
  ],
}
