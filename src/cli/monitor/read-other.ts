import { readFile, stat } from 'node:fs/promises'
import { formatNote, noteBytesMax } from '../../core/tlog/index.js'
import { CLI_LIMITS } from '../limits.js'
import { NotConfigured } from '../not-configured.js'
import { parseMonitorState } from './monitor-state.js'

/** What another auditor kept: a checkpoint, or the state of their monitor, which holds one. */
export async function readOther(path: string): Promise<Uint8Array> {
  const { size } = await stat(path)
  if (size > noteBytesMax + CLI_LIMITS.derivedBytesMax)
    throw new NotConfigured(`${path} is larger than any checkpoint.`)
  const bytes = await readFile(path)
  const note = parseMonitorState(bytes)?.note
  return note === undefined || note === null ? bytes : formatNote(note)
}
