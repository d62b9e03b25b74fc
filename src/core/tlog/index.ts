export { appendLeaves } from './append-leaves.js'
export { decodeBase64, encodeBase64 } from './base64.js'
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.js'
export { entryBytesMax, formatEntryBundle, parseEntryBundle } from './entry-bundle.js'
export { makeConsistencyProof, makeInclusionProof } from './make-proof.js'
export { hashEmptyTree, hashLeaf, type Sha256, sameBytes } from './merkle-hash.js'
export {
  formatNote,
  formatSignatureLines,
  type Note,
  type NoteSignature,
  noteBytesMax,
  parseNote,
  parseSignatureLines,
} from './note.js'
export { formatNoteKey, isKeyName, makeNoteKey, type NoteKey, type NoteKeyType, parseNoteKey } from './note-key.js'
export { openCheckpoint } from './open-checkpoint.js'
export { formatPolicy, parsePolicy, policyBytesMax } from './policy.js'
export type { Policy } from './policy-parts.js'
export { formatLogProof, type LogProof, logProofBytesMax, parseLogProof } from './proof-file.js'
export { fromLogProofJson, readHashes, toLogProofJson } from './proof-json.js'
export { isQuorumMet } from './quorum.js'
export { type ReadTiles, readRoot, type TreeDeps } from './read-tree.js'
export { cosignNote, type NoteSigner, signNote } from './sign-note.js'
export { edgeTiles, hashFullTile, type Tile, tileLevels, tileWidth } from './tile.js'
export { formatTilePath, parseTilePath, type TilePath } from './tile-path.js'
export { emptyTree, openTreeEdge, rootOfEdge, type TreeEdge } from './tree-edge.js'
export { verifyConsistency } from './verify-consistency.js'
export { verifyInclusion } from './verify-inclusion.js'
export { type ProofDeps, verifyLogProof } from './verify-log-proof.js'
export { verifyNote } from './verify-note.js'
export {
  formatWitnessSubmission,
  parseWitnessSubmission,
  witnessSubmissionBytesMax,
} from './witness-submission.js'
