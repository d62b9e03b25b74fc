import { isMembers, type Members } from '../../../core/chat/index.js'
import { surveyJson } from '../../../http/body/survey-json.js'
import { GATEWAY_LIMITS } from '../limits.js'
import { Pieces } from './pieces.js'
import type { Receiving } from './receive-answer.js'
import { UpstreamTrouble } from './trouble.js'

const { answerSmallBytes, answersBytesMax, answerPlainCharacters } = GATEWAY_LIMITS
const ANSWER = {
  nestingLevelsMax: GATEWAY_LIMITS.answerDepthMax,
  valuesMax: GATEWAY_LIMITS.answerValuesMax,
  namesMax: GATEWAY_LIMITS.answerValuesMax,
}

/** What all answers that are being read whole hold, of every call: twenty that an upstream filled up took 600 MB. */
const held = { bytes: 0 }

/** The whole body as text. Throws `UpstreamTrouble` for one that is too large, or for which there is no room. */
export async function readWhole(response: Pick<Receiving, 'next' | 'abort'>, bytesMax: number): Promise<string> {
  const pieces = new Pieces()
  let bytes = 0
  try {
    for (let piece = await response.next(); piece !== null; piece = await response.next()) {
      bytes += piece.length
      held.bytes += piece.length
      if (bytes > bytesMax || (bytes > answerSmallBytes && held.bytes > answersBytesMax)) {
        response.abort()
        throw new UpstreamTrouble({ kind: 'garbage' })
      }
      pieces.add(piece)
    }
    return textOf(pieces)
  } finally {
    held.bytes -= bytes
  }
}

function textOf(pieces: Pieces): string {
  const first = pieces.take() ?? new Uint8Array()
  if (pieces.isEmpty()) return Buffer.from(first.buffer, first.byteOffset, first.length).toString('utf8')
  const all = [first]
  for (let piece = pieces.take(); piece !== undefined; piece = pieces.take()) all.push(piece)
  return Buffer.concat(all).toString('utf8')
}

/**
 * A JSON object, or null for any other text, and for one that holds so much that parsing it would stop everything else:
 * 32 MB of brackets took 3 s and a gigabyte.
 */
export function parseMembers(text: string): Members | null {
  if (text.length > answerPlainCharacters && !surveyJson(Buffer.from(text), ANSWER).ok) return null
  try {
    const value: unknown = JSON.parse(text)
    return isMembers(value) ? value : null
  } catch {
    return null
  }
}
