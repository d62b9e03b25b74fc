import { open } from 'node:fs/promises'
import { explainFileTrouble } from '../file-trouble.js'

/** The command line asks for something that cannot be done. */
export class UsageError extends Error {}

/** The first `bytesMax` bytes of a file, all of them; of a longer one nothing. Throws `UsageError` in words. */
export async function readBounded(path: string, bytesMax: number): Promise<Uint8Array> {
  const file = await openFile(path)
  try {
    if ((await file.stat()).isDirectory()) throw new UsageError(`${path}: it is a folder.`)
    const buffer = Buffer.alloc(bytesMax + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length)
      length += bytesRead
      if (length > bytesMax) throw new UsageError(`${path}: it is longer than ${bytesMax} bytes.`)
      if (bytesRead === 0) return Uint8Array.from(buffer.subarray(0, length))
    }
  } finally {
    await file.close()
  }
}

/** Throws `UsageError` unless the path is a file that can be read. */
export async function assertReadable(path: string): Promise<void> {
  const file = await openFile(path)
  try {
    if ((await file.stat()).isDirectory()) throw new UsageError(`${path}: it is a folder.`)
  } finally {
    await file.close()
  }
}

/** The bytes of a stream as they come; throws when there are more than `bytesMax`. */
export async function* boundedStream(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array> {
  let bytesLeft = bytesMax
  for await (const chunk of chunks) {
    bytesLeft -= chunk.length
    if (bytesLeft < 0) throw new Error(`it is longer than ${bytesMax} bytes.`)
    yield chunk
  }
}

async function openFile(path: string) {
  return open(path, 'r').catch((error: unknown) => {
    throw inWords(error)
  })
}

function inWords(error: unknown): unknown {
  const words = explainFileTrouble(error)
  return words === undefined ? error : new UsageError(words)
}
