import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { InUse } from './in-use.js'
import { CLI_LIMITS } from './limits.js'
import { NotConfigured } from './not-configured.js'

const SUFFIX = /^\.used-[0-9a-f]{8}$/

export type Hold = { release(): Promise<void> }

/**
 * Makes this process the only one that uses a file, until it releases it or ends in any way. It announces itself (a
 * socket beside the file that it listens on) and only then looks for others: of two processes the one that announced
 * itself later sees the other one, so never both go on. What a killed process left answers no more and is removed; its
 * name is never used again. Throws `InUse`; of two that start at the same moment, both may.
 */
export async function holdAlone(path: string): Promise<Hold> {
  const target = resolve(path)
  const own = `${target}.used-${randomBytes(4).toString('hex')}`
  const server = await announce(own)
  try {
    for (const other of await listOthers(target, own)) {
      if (await answers(other)) throw new InUse(`${path} is in use by another process. Stop that one first.`)
      await rm(other, { force: true })
    }
  } catch (error) {
    await close(server)
    throw error
  }
  return { release: () => close(server) }
}

async function announce(path: string): Promise<Server> {
  const name = shortest(path)
  const server = createServer((socket) => socket.destroy()).unref()
  await new Promise<void>((listening, reject) => {
    server.once('error', reject)
    server.listen(name, listening)
  })
  return server
}

async function listOthers(target: string, own: string): Promise<string[]> {
  const name = basename(target)
  const names = await readdir(dirname(target))
  return names
    .filter((other) => other.startsWith(name) && SUFFIX.test(other.slice(name.length)))
    .map((other) => join(dirname(target), other))
    .filter((other) => other !== own)
}

/** Whether a process listens there. What cannot be told counts as one. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(shortest(path))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

/** The system has little room for a socket's name, so it is told from the working directory if that is shorter. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path)
  const name = Buffer.byteLength(fromHere) < Buffer.byteLength(path) ? fromHere : path
  if (Buffer.byteLength(name) <= CLI_LIMITS.socketNameBytesMax) return name
  throw new NotConfigured(`${path}: this name is too long. Choose a shorter one, or start in the folder of the file.`)
}

const close = (server: Server): Promise<void> => new Promise((closed) => server.close(() => closed()))
