import { once } from 'node:events'
import { connect } from 'node:net'

export type RawAnswer = {
  readonly status: number
  /** Lower-case names; of several headers with one name, the last. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
export type RawExchange = {
  readonly answers: readonly RawAnswer[]
  /** What came that was no whole answer. */
  readonly rest: string
}

type Step = string | Uint8Array | { readonly waitFor: string }

/**
 * Sends bytes as they are and reads answers until the service closes the connection or, where it keeps it open, until
 * `answersMax` have come. A step `{waitFor}` holds the next bytes back until that text was received.
 */
export async function exchangeRaw(url: string, steps: readonly Step[], answersMax = 1): Promise<RawExchange> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  let received = Buffer.alloc(0)
  let closed = false
  let wake: () => void = () => undefined
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('close', () => {
    closed = true
    wake()
  })
  // A reset tells no more than that the connection is gone.
  socket.on('error', () => undefined)
  const until = async (holds: () => boolean): Promise<void> => {
    while (!closed && !holds()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  for (const step of steps) {
    if (typeof step === 'string' || step instanceof Uint8Array) socket.write(step)
    else await until(() => received.includes(step.waitFor))
  }
  await until(() => readAnswers(received, closed).answers.length >= answersMax)
  socket.destroy()
  return readAnswers(received, closed)
}

function readAnswers(bytes: Buffer, closed: boolean): RawExchange {
  const answers: RawAnswer[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end === -1) break
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n')
    const status = Number(first.split(' ')[1])
    const headers = Object.fromEntries(lines.map((line) => readHeader(line)))
    const body = readBody(bytes, end + 4, headers, closed)
    if (body === undefined) break
    at = body.end
    // 100 Continue is no answer yet.
    if (status >= 200) answers.push({ status, headers, body: body.text })
  }
  return { answers, rest: bytes.toString('latin1', at) }
}

function readHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

function readBody(bytes: Buffer, start: number, headers: Readonly<Record<string, string>>, closed: boolean) {
  if (headers['transfer-encoding'] !== 'chunked') {
    const end = start + Number(headers['content-length'] ?? 0)
    return end <= bytes.length || closed ? { text: bytes.toString('utf8', start, end), end } : undefined
  }
  const end = bytes.indexOf('\r\n0\r\n\r\n', start)
  return end === -1 ? undefined : { text: bytes.toString('utf8', start, end), end: end + 7 }
}
