import { AppError } from './errors.js'

export type QueueLimits = {
  readonly queueItemsMax: number
  readonly queueBytesMax: number
  /** The part of the queue that one owner (a project) may fill, in items and in bytes, 0 to 1. */
  readonly ownerShareMax: number
}

export type GroupLimits = {
  readonly groupItemsMax: number
  /** An item that is larger than this is a group of its own. */
  readonly groupBytesMax: number
}

export type Waiting<Item, Answer> = {
  readonly item: Item
  readonly owner: string
  readonly bytes: number
  readonly isAwaited: boolean
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** What is queued, of all or of one owner. */
export type Load = { items: number; bytes: number }

/** What waits for a group, first come, first taken. */
export function createGroupQueue<Item, Answer>(limits: QueueLimits & GroupLimits) {
  const queue: Waiting<Item, Answer>[] = []
  const total: Load = { items: 0, bytes: 0 }
  const loads = new Map<string, Load>()
  let awaited = 0

  return {
    depth: () => queue.length,
    /** Items that somebody waits for. */
    awaited: () => awaited,
    refusal: (owner: string, bytes: number, items: number) => refusalOf(limits, total, loads.get(owner), bytes, items),
    add: (waiting: Waiting<Item, Answer>): void => {
      queue.push(waiting)
      if (waiting.isAwaited) awaited += 1
      const load = loads.get(waiting.owner) ?? { items: 0, bytes: 0 }
      if (load.items === 0) loads.set(waiting.owner, load)
      change(total, 1, waiting.bytes)
      change(load, 1, waiting.bytes)
    },
    keepRoom: (owner: string, bytes: number, items: number) => keepRoom(total, loads, owner, { items, bytes }),
    /** The next group: at least one item, if anything waits. */
    take: (): Waiting<Item, Answer>[] => {
      const group = queue.splice(0, countFitting(queue, limits))
      for (const { owner, bytes, isAwaited } of group) {
        const load = loads.get(owner) as Load
        if (isAwaited) awaited -= 1
        change(total, -1, -bytes)
        change(load, -1, -bytes)
        if (load.items === 0) loads.delete(owner)
      }
      return group
    },
  }
}

/** Counts items that will come: one less, with so many bytes, at each `use`, and none after the last. */
function keepRoom(total: Load, loads: Map<string, Load>, owner: string, { items, bytes }: Readonly<Load>) {
  const load = loads.get(owner) ?? { items: 0, bytes: 0 }
  loads.set(owner, load)
  const left: Load = { items: 0, bytes: 0 }
  const keep = (itemsMore: number, bytesMore: number): void => {
    for (const one of [total, load, left]) change(one, itemsMore, bytesMore)
    if (load.items === 0) loads.delete(owner)
  }
  const release = (): void => {
    if (left.items > 0) keep(-left.items, -left.bytes)
  }
  keep(items, bytes)
  return {
    use: (bytesUsed: number): void => {
      if (left.items > 1) keep(-1, -Math.min(bytesUsed, left.bytes))
      else release()
    },
    release,
  }
}

/** How many of the first items fit into a group: at least one, if there is any. */
function countFitting(queue: readonly { readonly bytes: number }[], limits: GroupLimits): number {
  let count = 0
  let bytes = 0
  for (const one of queue) {
    bytes += one.bytes
    if (count >= limits.groupItemsMax || (count > 0 && bytes > limits.groupBytesMax)) break
    count += 1
  }
  return count
}

export type GroupQueue<Item, Answer> = ReturnType<typeof createGroupQueue<Item, Answer>>

/** `overloaded` if the queue, or the owner's share of it, is full. */
export function refusalOf(
  limits: QueueLimits,
  total: Load,
  owned: Load | undefined,
  bytes: number,
  items = 1,
): AppError | undefined {
  const { queueItemsMax, queueBytesMax, ownerShareMax } = limits
  if (total.items + items > queueItemsMax || total.bytes + bytes > queueBytesMax)
    return overloaded('The write queue is full')
  // An owner without anything in the queue always gets one item in, or a large item could never be written.
  if (owned === undefined) return undefined
  const overShare =
    owned.items + items > queueItemsMax * ownerShareMax || owned.bytes + bytes > queueBytesMax * ownerShareMax
  return overShare ? overloaded("This project's share of the write queue is full") : undefined
}

export function overloaded(what: string): AppError {
  return new AppError('overloaded', `${what}; nothing was written.`, { retryAfterSeconds: 1 })
}

export function change(load: Load, items: number, bytes: number): void {
  load.items += items
  load.bytes += bytes
}
