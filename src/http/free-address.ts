import { createServer } from 'node:net'

const TROUBLE: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) =>
    `Port ${port} of ${host} is taken by another program, perhaps by a llmring-server that already runs. Stop that one, or set LLMRING_PORT to another port (0 takes any free one).`,
  EADDRNOTAVAIL: (host) => `This machine has no address ${host}. Set LLMRING_HOST to one of its own, or to 0.0.0.0.`,
  EACCES: (host, port) =>
    `Port ${port} of ${host} may not be used by this user (ports below 1024 need rights). Set LLMRING_PORT to another one.`,
  ENOTFOUND: (host) => `LLMRING_HOST names no address: ${host} is not known.`,
}

/** Looks whether the address can be listened on, before anything else is started. Throws with what to change. */
export async function checkAddress(host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(port, host, () => server.close(() => resolve()))
    })
  } catch (error) {
    throw explainListening(error, host, port)
  }
}

/** What went wrong when an address was listened on, for people. */
function explainListening(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const describe = TROUBLE[code]
  return describe === undefined ? error : new Error(describe(host, port), { cause: error })
}
