import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { TRANSPARENCY_LIMITS } from '../limits.js'

type Posted =
  | { readonly status: number; readonly type: string; readonly text: string }
  | { readonly status: null; readonly reason: string }

/** Sends a body to `<prefix>/add-checkpoint`. Never rejects. */
export type PostCheckpoint = (prefix: string, body: Uint8Array, signal: AbortSignal) => Promise<Posted>

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * Posts checkpoints to witnesses: no redirects, a time for the whole, and an answer of a few lines. Proxies are taken
 * from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, but never for this machine.
 */
export function createPostCheckpoint(): { readonly post: PostCheckpoint; close(): Promise<void> } {
  const direct = new Agent()
  const outward = new EnvHttpProxyAgent()
  return {
    post: async (prefix, body, signal) => {
      const url = `${prefix.replace(/\/$/, '')}/add-checkpoint`
      const limited = AbortSignal.any([signal, AbortSignal.timeout(TRANSPARENCY_LIMITS.witnessMsMax)])
      try {
        const dispatcher: Dispatcher = LOOPBACK.test(new URL(url).hostname) ? direct : outward
        const headers = { 'content-type': 'text/plain; charset=utf-8' }
        const response = await request(url, { method: 'POST', body, headers, dispatcher, signal: limited })
        const type = response.headers['content-type']
        const text = await readText(response.body)
        return { status: response.statusCode, type: typeof type === 'string' ? type : '', text }
      } catch (error) {
        return { status: null, reason: limited.aborted ? 'late' : reasonOf(error) }
      }
    },
    close: async () => {
      await Promise.all([direct.destroy(), outward.destroy()])
    },
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > TRANSPARENCY_LIMITS.witnessAnswerBytesMax) throw new Error('answer-too-large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** The system's code, or our own: an error's text may hold more than a log should. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error && error.message === 'answer-too-large' ? error.message : 'broken-off'
}
