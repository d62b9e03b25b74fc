import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import type { Reach } from '../../platform/reach.js'
import { ALIAS_LIMITS } from './limits.js'
import type { Read } from './load-snapshots.js'
import { entryName, type SnapshotMemory } from './snapshot-memory.js'

const { readAheadMax, readAheadPauseMs, readAheadAgainMs } = ALIAS_LIMITS

export type ReadAheadDeps = { readonly reach: Pick<Reach, 'isAway'>; readonly clock: Clock }
type AheadKind = Pick<Read, 'name' | 'load'>

/**
 * Who resolves an alias may want its list or its lockfile only once the database is away. So these are read behind what
 * is asked for, one at a time with pauses, as long as there is spare room; what fails is read when it is asked for.
 */
export function createReadAhead(
  memory: SnapshotMemory,
  { reach, clock }: ReadAheadDeps,
  load: (read: Read) => Promise<unknown>,
) {
  const kinds: AheadKind[] = []
  const waiting = new Map<string, Read>()
  const pace = createPace(async () => {
    const [next] = waiting
    if (next !== undefined && !reach.isAway()) {
      const [key, read] = next
      waiting.delete(key)
      const worth = judge(memory, clock, read)
      if (worth === 'early') waiting.set(key, read)
      if (worth === 'now') await load(read)
    }
    return waiting.size > 0
  })
  return {
    add: (kind: AheadKind): void => void kinds.push(kind),
    want: (projectId: ProjectId, asked: string | undefined): void => {
      for (const profile of new Set([asked, undefined])) {
        for (const kind of kinds) {
          const name = entryName(kind.name, profile)
          const key = `${projectId} ${name}`
          if (waiting.size >= readAheadMax && !waiting.has(key)) return
          waiting.set(key, { projectId, profile, name, only: '', load: kind.load, isAhead: true })
        }
      }
      if (waiting.size > 0) pace.start()
    },
    close: pace.close,
  }
}

/** Whether it is in memory as it is now, or there is no room for it; or was read so lately that it can wait. */
function judge(memory: SnapshotMemory, clock: Clock, { projectId, name }: Read): 'no' | 'early' | 'now' {
  const project = memory.peek(projectId)
  if (project?.tooLarge.has(name)) return 'no'
  const entry = project?.entries.get(name)
  if (entry === undefined) return memory.hasSpareRoom(project) ? 'now' : 'no'
  if (!entry.superseded) return 'no'
  return clock() - entry.loadedAt < readAheadAgainMs ? 'early' : 'now'
}

/** Runs a step after each pause, as long as it says that there is more. */
function createPace(step: () => Promise<boolean>) {
  let isRunning = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  const run = async (): Promise<void> => {
    // What failed may be one of many.
    isRunning = await step().catch(() => true)
    if (isRunning && !isClosed) schedule()
  }
  const schedule = (): void => {
    timer = setTimeout(() => void run(), readAheadPauseMs).unref()
  }
  return {
    start: (): void => {
      if (isRunning || isClosed) return
      isRunning = true
      schedule()
    },
    close: (): void => {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
