import { request } from 'undici'
import { deadline } from '../../../platform/deadline.js'
import { GATEWAY_LIMITS } from '../limits.js'

const { sidecarMsMax, sidecarBytesMax, sidecarPromptCharactersMax, sidecarCallsMax } = GATEWAY_LIMITS

/** The score of a prompt, 0 to 1; undefined if the sidecar did not say in time. Never rejects. */
export type AskSidecar = (prompt: string) => Promise<number | undefined>

/** Asks a program of the operator how hard a prompt is: `POST {prompt}`, which answers `{score}`. */
export function createSidecar(url: string): AskSidecar {
  let underWay = 0
  return async (prompt) => {
    // What is slow must not pile up.
    if (underWay >= sidecarCallsMax) return undefined
    underWay += 1
    const ending = new AbortController()
    try {
      return await deadline(ask(url, prompt, ending.signal), sidecarMsMax)
    } catch {
      return undefined
    } finally {
      underWay -= 1
      ending.abort()
    }
  }
}

async function ask(url: string, prompt: string, signal: AbortSignal): Promise<number | undefined> {
  const body = JSON.stringify({ prompt: prompt.slice(0, sidecarPromptCharactersMax).toWellFormed() })
  const answer = await request(url, { method: 'POST', body, signal, headers: { 'content-type': 'application/json' } })
  let text = ''
  for await (const piece of answer.body.setEncoding('utf8')) {
    text += String(piece)
    if (text.length > sidecarBytesMax) return undefined
  }
  if (answer.statusCode !== 200) return undefined
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || !('score' in value)) return undefined
  return typeof value.score === 'number' && value.score >= 0 && value.score <= 1 ? value.score : undefined
}
