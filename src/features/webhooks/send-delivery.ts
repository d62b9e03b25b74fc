import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { abortable } from '../../platform/abortable.js'
import { WEBHOOK_LIMITS } from './limits.js'
import type { Address, ResolveHost } from './resolve-host.js'

/** The status that a receiver answered with, or why there is none. */
export type SendResult =
  | { readonly status: number; readonly retryAfterSeconds: number }
  | { readonly status: null; readonly reason: string }

type Post = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Breaks the attempt off. */
  readonly signal: AbortSignal
}
/** Sends a POST. Never rejects. */
export type Send = (post: Post) => Promise<SendResult>

/**
 * POSTs to a receiver within `msMax` milliseconds in all: to one of the addresses that `resolveHost` allows, on a
 * connection of its own, without a proxy. Redirects are not followed, and of the response little more than the status
 * is read.
 */
export function createSend(resolveHost: ResolveHost, msMax: number = WEBHOOK_LIMITS.sendMsMax): Send {
  return async (post) => {
    const controller = new AbortController()
    const abort = () => controller.abort()
    const timer = setTimeout(abort, msMax)
    post.signal.addEventListener('abort', abort, { once: true })
    if (post.signal.aborted) abort()
    try {
      return await attempt(resolveHost, { ...post, signal: controller.signal })
    } catch (error) {
      const late = `it did not answer within ${msMax / 1000} s`
      return { status: null, reason: controller.signal.aborted ? late : networkReason(error) }
    } finally {
      clearTimeout(timer)
      post.signal.removeEventListener('abort', abort)
    }
  }
}

async function attempt(resolveHost: ResolveHost, post: Post): Promise<SendResult> {
  if (!URL.canParse(post.url)) return { status: null, reason: 'its URL cannot be used' }
  const url = new URL(post.url)
  const resolved = await abortable(resolveHost(url.hostname), post.signal)
  if (!resolved.ok) return { status: null, reason: resolved.reason }
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return await new Promise((resolve, reject) => {
    const sending: ClientRequest = request(url, {
      method: 'POST',
      agent: false,
      lookup: lookUpIn(resolved.addresses),
      signal: post.signal,
      headers: { ...post.headers, 'Content-Length': Buffer.byteLength(post.body) },
    })
    sending.on('error', reject)
    sending.on('response', (response) => {
      // What breaks from here on changes nothing.
      sending.off('error', reject).on('error', () => undefined)
      readResponse(response, resolve)
    })
    // Without a response, and without an error: the receiver wants another protocol.
    sending.on('close', () => resolve({ status: null, reason: 'it closed the connection' }))
    sending.end(post.body)
  })
}

/** The status counts as soon as it is there; the rest is read, to a limit, so that the receiver can end in peace. */
function readResponse(response: IncomingMessage, resolve: (result: SendResult) => void): void {
  const { 'retry-after': retryAfter = '' } = response.headers
  const retryAfterSeconds = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : 0
  const done = () => resolve({ status: response.statusCode ?? 0, retryAfterSeconds })
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes > WEBHOOK_LIMITS.responseBytesMax) response.destroy()
  })
  response.on('error', done)
  response.on('close', done)
}

/** Answers the addresses that were checked, whatever is asked. */
function lookUpIn(addresses: readonly Address[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family)
  }
}

/** The system's code alone: an error's text may hold more than its reader should see. */
function networkReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return `it could not be reached or broke off (${code})`
}
