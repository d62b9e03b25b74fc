import { createServer } from 'node:net'

/** What the host and the port are called where they are set. */
type AddressNames = { readonly host: string; readonly port: string }

const SETTINGS: AddressNames = { host: 'LLMRING_HOST', port: 'LLMRING_PORT' }

const TROUBLE: Readonly<Record<string, (host: string, port: number, names: AddressNames) => string>> = {
  EADDRINUSE: (host, port, names) =>
    `Port ${port} of ${host} is taken by another program, perhaps by a llmring-server that already runs. Stop that one, or set ${names.port} to another port (0 takes any free one).`,
  EADDRNOTAVAIL: (host, _port, names) =>
    `This machine has no address ${host}. Set ${names.host} to one of its own, or to 0.0.0.0.`,
  EACCES: (host, port, names) =>
    `Port ${port} of ${host} may not be used by this user (ports below 1024 need rights). Set ${names.port} to another one.`,
  ENOTFOUND: (host, _port, names) => `${names.host} names no address: ${host} is not known.`,
}

/** Looks whether the address can be listened on, before anything else is started. Throws with what to change. */
export async function checkAddress(host: string, port: number, names = SETTINGS): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(port, host, () => server.close(() => resolve()))
    })
  } catch (error) {
    throw explainListening(error, host, port, names)
  }
}

/** What went wrong when an address was listened on, for people. */
function explainListening(error: unknown, host: string, port: number, names: AddressNames): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const describe = TROUBLE[code]
  return describe === undefined ? error : new Error(describe(host, port, names), { cause: error })
}
