import { change, type GroupLimits, type Load, overloaded, type QueueLimits, refusalOf } from './group-queue.js'

export type LineLimits = QueueLimits &
  GroupLimits & {
    /** After how many rests in a row an owner's lock is waited for. */
    readonly restsMax: number
    /** An item that was held for longer than this is refused. */
    readonly heldMsMax: number
  }

export type Waiting<Item, Answer> = {
  readonly item: Item
  readonly bytes: number
  /** Of `performance.now()`. */
  readonly since: number
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** What waits of one owner, and how often in a row it was held. It is ready, patient, in flight or resting. */
export type Line<Item, Answer> = {
  readonly owner: string
  readonly waiting: Waiting<Item, Answer>[]
  readonly load: Load
  rests: number
}

export type Group<Item, Answer> = Map<Line<Item, Answer>, Waiting<Item, Answer>[]>

/** Every owner's line, those that may be taken in the order of their turns. */
export type Lines<Item, Answer> = {
  readonly all: Map<string, Line<Item, Answer>>
  readonly ready: Set<Line<Item, Answer>>
  /** Those whose lock is waited for. */
  readonly patient: Set<Line<Item, Answer>>
  readonly total: Load
  readyItems: number
}

export function createLines<Item, Answer>(): Lines<Item, Answer> {
  return { all: new Map(), ready: new Set(), patient: new Set(), total: { items: 0, bytes: 0 }, readyItems: 0 }
}

/** `overloaded` if the queue, or the owner's share of it, is full; an item then was not added. */
export function addToLine<Item, Answer>(
  lines: Lines<Item, Answer>,
  limits: LineLimits,
  owner: string,
  one: Waiting<Item, Answer>,
): Error | undefined {
  const known = lines.all.get(owner)
  const refusal = refusalOf(limits, lines.total, known?.load.items === 0 ? undefined : known?.load, one.bytes)
  if (refusal !== undefined) return refusal
  const line = known ?? { owner, waiting: [], load: { items: 0, bytes: 0 }, rests: 0 }
  if (known === undefined) {
    lines.all.set(owner, line)
    lines.ready.add(line)
  }
  line.waiting.push(one)
  count(lines, line, 1, one.bytes)
  if (lines.ready.has(line)) lines.readyItems += 1
  return undefined
}

/** The next group of the lines that are ready: at least one item, if there are any. They are in flight from here on. */
export function takeGroup<Item, Answer>(lines: Lines<Item, Answer>, limits: LineLimits): Group<Item, Answer> {
  const group: Group<Item, Answer> = new Map()
  let [items, bytes] = [0, 0]
  for (const line of lines.ready) {
    const isFull = items >= limits.groupItemsMax || bytes + (line.waiting[0]?.bytes ?? 0) > limits.groupBytesMax
    if (items > 0 && isFull) break
    lines.ready.delete(line)
    lines.readyItems -= line.waiting.length
    const taken = takeFrom(lines, limits, line, { items, bytes })
    group.set(line, taken)
    items += taken.length
    for (const one of taken) bytes += one.bytes
  }
  return group
}

/** The next group whose owner's lock is waited for: of one line. */
export function takePatient<Item, Answer>(
  lines: Lines<Item, Answer>,
  limits: LineLimits,
): Group<Item, Answer> | undefined {
  const [line] = lines.patient
  if (line === undefined) return undefined
  lines.patient.delete(line)
  return new Map([[line, takeFrom(lines, limits, line, { items: 0, bytes: 0 })]])
}

function takeFrom<Item, Answer>(
  lines: Lines<Item, Answer>,
  limits: LineLimits,
  line: Line<Item, Answer>,
  before: Load,
): Waiting<Item, Answer>[] {
  let { items, bytes } = before
  let fitting = 0
  for (; fitting < line.waiting.length && items < limits.groupItemsMax; items++, fitting++) {
    bytes += (line.waiting[fitting] as Waiting<Item, Answer>).bytes
    if (items > 0 && bytes > limits.groupBytesMax) break
  }
  const taken = line.waiting.splice(0, fitting)
  for (const one of taken) count(lines, line, -1, -one.bytes)
  return taken
}

/** Back to the head of the line, to rest there; what was held for too long is refused. */
export function putBack<Item, Answer>(
  lines: Lines<Item, Answer>,
  limits: LineLimits,
  line: Line<Item, Answer>,
  held: readonly Waiting<Item, Answer>[],
): void {
  const latest = performance.now() - limits.heldMsMax
  const kept = held.filter(({ since }) => since > latest)
  for (const one of held) if (one.since <= latest) one.reject(overloaded('Another instance writes for this project'))
  for (const one of kept) count(lines, line, 1, one.bytes)
  line.waiting.unshift(...kept)
  line.rests += 1
}

/** The line is neither in flight nor resting any more: if there is anything in it, it waits for its next turn. */
export function releaseLine<Item, Answer>(
  lines: Lines<Item, Answer>,
  limits: LineLimits,
  line: Line<Item, Answer>,
): void {
  if (line.waiting.length === 0) lines.all.delete(line.owner)
  else if (line.rests > limits.restsMax) lines.patient.add(line)
  else {
    lines.ready.add(line)
    lines.readyItems += line.waiting.length
  }
}

function count<Item, Answer>(lines: Lines<Item, Answer>, line: Line<Item, Answer>, items: number, bytes: number): void {
  change(lines.total, items, bytes)
  change(line.load, items, bytes)
}
