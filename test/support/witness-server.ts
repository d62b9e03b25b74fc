import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWitnessListener } from '../../src/cli/witness/listener.js'
import { openWitness } from '../../src/cli/witness/open-witness.js'
import { parseNoteKey } from '../../src/core/tlog/index.js'
import { listen } from '../../src/http/listen/server.js'
import { createLogger } from '../../src/platform/logger.js'
import { sha256 } from '../unit/tlog-trees.js'

export type WitnessServer = { readonly url: string; readonly keyText: string; close(): Promise<void> }

/** A witness of one log as the program runs it, on a port of this machine. */
export async function startWitnessServer(logKeyText: string): Promise<WitnessServer> {
  const parsed = parseNoteKey(sha256, logKeyText)
  if (!parsed.ok) throw new Error(parsed.reason)
  const directory = await mkdtemp(join(tmpdir(), 'llmring-witness-'))
  const witness = await openWitness({ state: join(directory, 'state') }, [parsed.key])
  const listener = createWitnessListener({ ...witness, logger: createLogger('silent') })
  const server = await listen(listener, '127.0.0.1', 0)
  return {
    url: server.url,
    keyText: witness.keyText,
    close: async () => {
      await server.drain(0)
      await witness.close()
      await rm(directory, { recursive: true })
    },
  }
}

export type ScriptedWitness = {
  readonly url: string
  /** The bodies that came, in order. */
  readonly bodies: string[]
  /** How many were under way at the same time, at most. */
  atOnce: number
  close(): Promise<void>
}

/** A server in a witness's place that answers as it is told. */
export async function startScriptedWitness(
  answer: (outgoing: ServerResponse, body: string, incoming: IncomingMessage) => void,
): Promise<ScriptedWitness> {
  let underWay = 0
  const server = createServer((incoming, outgoing) => {
    underWay += 1
    scripted.atOnce = Math.max(scripted.atOnce, underWay)
    outgoing.once('close', () => {
      underWay -= 1
    })
    let body = ''
    incoming.on('data', (chunk) => {
      body += String(chunk)
    })
    incoming.on('end', () => {
      scripted.bodies.push(body)
      answer(outgoing, body, incoming)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const scripted: ScriptedWitness = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies: [],
    atOnce: 0,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
  return scripted
}
