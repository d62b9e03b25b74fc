/**
 * The baselines, as plain as Node allows. Each reads what the service reads, does the same cryptography with node:crypto,
 * and answers: `constant` any GET, `bytes` the same with bytes given in base64, `unchanged` a 304 to any, `parse` a JSON
 * body, `sign` a receipt's claims, `verify` a receipt, `chat` as a model would, whole or as a stream; `pipe` passes requests
 * on to an address and parses nothing; `insert` writes one row of an event for each request to the database at an address.
 * Prints its port.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto'
import { Agent, createServer, request as forward, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import canonicalize from 'canonicalize'
import { createClient } from '../../src/db/client.js'

export type BareMode = 'constant' | 'bytes' | 'unchanged' | 'parse' | 'sign' | 'verify' | 'chat' | 'pipe' | 'insert'

type Json = Record<string, unknown>
const headers = { 'Content-Type': 'application/json' }
const [mode, argument = '{}'] = process.argv.slice(2) as [BareMode, string?]

/** Reads a JSON body and answers what `work` makes of it. */
const reading =
  (work: (body: Json) => string): RequestListener =>
  (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = work(JSON.parse(Buffer.concat(chunks).toString()) as Json)
      response.writeHead(200, headers)
      response.end(answer)
    })
  }

const canonicalBytes = (value: Json): Buffer => Buffer.from(canonicalize(value) ?? '')

/** An Ed25519 key from its 32 bytes in base64url (RFC 8410 prefixes). */
const privateKey = (seed: string): KeyObject => {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'base64url')])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

const listeners: Record<BareMode, () => RequestListener> = {
  constant: () => (_request, response) => {
    response.writeHead(200, headers)
    response.end(argument)
  },
  bytes: () => {
    const bytes = Buffer.from(argument, 'base64')
    const described = { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes.length }
    return (_request, response) => {
      response.writeHead(200, described)
      response.end(bytes)
    }
  },
  unchanged: () => (_request, response) => {
    response.writeHead(304, { ETag: argument })
    response.end()
  },
  parse: () => reading(() => argument),
  chat: () => chat,
  pipe: () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1_000 })
    return (incoming, outgoing) => {
      const { method = 'POST', url = '/', headers: sent } = incoming
      const passed = forward(argument + url, { method, headers: sent, agent }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(outgoing)
      })
      incoming.pipe(passed)
    }
  },
  insert: () => insertInto(argument),
  sign: () => {
    const key = privateKey(argument)
    return reading((claims) => {
      const signature = `ed25519:${sign(null, canonicalBytes(claims), key).toString('base64url')}`
      return JSON.stringify({ ...claims, signature })
    })
  },
  verify: () => {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: argument }, format: 'jwk' })
    return reading(({ signature, ...signed }) => {
      const bytes = Buffer.from(String(signature).slice('ed25519:'.length), 'base64url')
      return JSON.stringify({ valid: verify(null, canonicalBytes(signed), key, bytes) })
    })
  },
}

/** As many connections as the service has for what is hot, and the columns that it fills of such an event. */
function insertInto(url: string): RequestListener {
  const options = { url, schema: 'llmring', connectionsMax: 20, prepare: true, pooled: false }
  const sql = createClient(options)
  const prices = JSON.stringify({ input: '0.15', output: '0.6' })
  const project = randomUUID()
  return (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', async () => {
      const event = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>
      const [id, loggedAt] = [randomUUID(), new Date().toISOString()]
      await sql`
        insert into copied (project_id, logged_at, id, key_id, provider, model, alias, origin, input_tokens, output_tokens,
          cost, computed_cost, cost_status, registry_provider_version, unit_prices)
        values (${project}, ${loggedAt}, ${id}, ${project}, ${event['provider'] ?? ''}, ${event['model'] ?? ''},
          ${event['alias'] ?? null}, ${event['origin'] ?? null}, ${event['input_tokens'] ?? null},
          ${event['output_tokens'] ?? null}, ${'0.00036'}, ${'0.00036'}, 'priced', 'openai@7', ${prices})`
      outgoing.writeHead(200, headers)
      outgoing.end(JSON.stringify({ log_id: id, cost: 0.00036, timestamp: loggedAt, cost_status: 'priced' }))
    })
  }
}

/** A completion, or its events: twenty words, as many milliseconds apart as the argument says. */
function chat(...[incoming, outgoing]: Parameters<RequestListener>): void {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', async () => {
    const { stream } = JSON.parse(Buffer.concat(chunks).toString()) as Json
    const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 }
    const message = { role: 'assistant', content: 'word '.repeat(20) }
    const head = { id: 'chatcmpl-1', created: 1, model: 'bench' }
    if (stream !== true) {
      outgoing.writeHead(200, headers)
      outgoing.end(JSON.stringify({ ...head, choices: [{ index: 0, message, finish_reason: 'stop' }], usage }))
      return
    }
    outgoing.writeHead(200, { 'Content-Type': 'text/event-stream' })
    const say = (value: unknown) => outgoing.write(`data: ${JSON.stringify({ ...head, ...(value as Json) })}\n\n`)
    for (let word = 0; word < 20; word += 1) {
      if (Number(argument) > 0) await pause(Number(argument))
      say({ choices: [{ index: 0, delta: { content: 'word ' } }] })
    }
    say({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    say({ choices: [], usage })
    outgoing.end('data: [DONE]\n\n')
  })
}

const server = createServer(listeners[mode]())
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
