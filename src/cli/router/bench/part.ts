import { Agent, createServer, request as forward, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import { CLI_LIMITS } from '../../limits.js'
import { serveCommand } from '../../serve.js'

/**
 * What `router bench` runs beside itself, each in a process of its own: `upstream`, which answers as a model would, `pipe`,
 * which passes requests on to an address and reads nothing in them, and `gateway`, the service as it is. Each ends when its
 * standard input does, so that none outlives a bench that was killed.
 */
export function benchPartCommand(): Command {
  return new Command('bench-part')
    .argument('<part>', 'upstream, pipe or gateway')
    .argument('[argument]', "the pipe's upstream, or the gateway's configuration")
    .action(async (part: string, argument = '') => {
      process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'))
      if (part === 'gateway') await serveCommand().parseAsync(['--config', argument], { from: 'user' })
      else answerAt(part === 'pipe' ? pipeTo(argument) : answerAsModel)
    })
}

function answerAt(listener: RequestListener): void {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1', () =>
    process.stderr.write(`answers at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
  )
}

function pipeTo(url: string): RequestListener {
  const agent = new Agent({ keepAlive: true, maxSockets: CLI_LIMITS.benchCallsAtOnceMax })
  return (incoming, outgoing) => {
    const { method = 'POST', url: path = '/', headers } = incoming
    const passed = forward(url + path, { method, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    passed.once('error', () => outgoing.destroy())
    outgoing.once('close', () => passed.destroy())
    incoming.pipe(passed)
  }
}

const HEAD = { id: 'chatcmpl-bench', created: 1, model: 'bench' }
const USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 }
const WORDS = Array.from({ length: USAGE.completion_tokens }, () => 'word ')
const event = (value: object): string => `data: ${JSON.stringify({ ...HEAD, ...value })}\n\n`
const chunk = (delta: object, reason: string | null) =>
  event({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] })

const WHOLE = JSON.stringify({
  ...{ ...HEAD, object: 'chat.completion', usage: USAGE },
  choices: [{ index: 0, message: { role: 'assistant', content: WORDS.join('') }, finish_reason: 'stop' }],
})
const EVENTS = [
  ...WORDS.map((content) => chunk({ content }, null)),
  chunk({}, 'stop'),
  event({ object: 'chat.completion.chunk', choices: [], usage: USAGE }),
  'data: [DONE]\n\n',
]

/** Twenty words, whole or one event each, whatever was asked. */
const answerAsModel: RequestListener = (incoming, outgoing) => {
  const pieces: Buffer[] = []
  incoming.on('data', (piece: Buffer) => pieces.push(piece))
  incoming.on('end', () => {
    const isStream = Buffer.concat(pieces).includes('"stream":true')
    outgoing.writeHead(200, { 'Content-Type': isStream ? 'text/event-stream' : 'application/json' })
    if (!isStream) return outgoing.end(WHOLE)
    for (const text of EVENTS) outgoing.write(text)
    return outgoing.end()
  })
}
