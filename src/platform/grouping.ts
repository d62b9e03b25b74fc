import { expireAfter } from './deadline.js'
import { AppError } from './errors.js'
import { invariant } from './invariant.js'

export type GroupingOptions<Item, Answer> = {
  /** Commits one group and answers each item, in the items' order. Throws if nothing of the group was committed. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Answer[]>
  /** Says whether a failure is the fault of an item (then the group is halved until the item stands alone). */
  readonly isItemFault: (error: unknown) => boolean
  /** Groups in flight at a time. */
  readonly lanes: number
  /**
   * While a group is in flight, the next one begins beside it as soon as so many items wait, or one has waited
   * `companyMsMax`: until then it is filled. A group costs as much as thirty items, whatever is in it. Default: 1.
   */
  readonly companyItemsMin?: number
  readonly companyMsMax?: number
  readonly groupItemsMax: number
  /** An item that is larger than this is a group of its own. */
  readonly groupBytesMax: number
} & QueueLimits

export type QueueLimits = {
  readonly queueItemsMax: number
  readonly queueBytesMax: number
  /** The part of the queue that one owner (a project) may fill, in items and in bytes, 0 to 1. */
  readonly ownerShareMax: number
}

export type Grouping<Item, Answer> = {
  /**
   * Answers after the commit of the group that the item became part of, or rejects with that group's failure.
   * `bytes` is about what the item occupies. Throws `overloaded` if the queue, or the owner's share of it, is full.
   */
  submit(item: Item, owner: string, bytes: number): Promise<Answer>
  /** Waits until nothing is queued and nothing in flight. */
  drain(): Promise<void>
  /** Items that wait; those in flight are not counted. */
  readonly depth: () => number
}

/** Room in the queue for one item that will come: nothing else takes it meanwhile. */
export type Room<Item, Answer> = {
  /** As the grouping's own, and never refused for want of room. Once; the room is used up then. */
  submit(item: Item, bytes: number): Promise<Answer>
  /** Gives the room back. Nothing happens if it is used up. */
  release(): void
}

/** For owners who hand over many items at a time, or one later on. */
export type RoomyGrouping<Item, Answer> = Grouping<Item, Answer> & {
  /** Throws `overloaded` if there is no room. */
  keepRoom(owner: string, bytes: number): Room<Item, Answer>
  /** Why so many items of an owner, of so many bytes together, would not be taken now; undefined: they would. */
  refusal(owner: string, bytes: number, items: number): AppError | undefined
}

type Waiting<Item, Answer> = {
  readonly item: Item
  readonly owner: string
  readonly bytes: number
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** What is queued, of all or of one owner. */
export type Load = { items: number; bytes: number }

/**
 * Group commit: whatever arrives while all lanes are busy becomes the next group, so one transaction carries many
 * requests under load and a lone request waits for no other. First come, first taken; with more than one lane a later
 * group may commit before an earlier one. Memory is bounded by the queue's limits plus `lanes` groups.
 */
export function createGrouping<Item, Answer>(options: GroupingOptions<Item, Answer>): RoomyGrouping<Item, Answer> {
  const queue = createQueue<Item, Answer>(options)
  const { companyItemsMin = 1, companyMsMax = 0 } = options
  const idle: (() => void)[] = []
  let busyLanes = 0

  const run = async (): Promise<void> => {
    busyLanes += 1
    // One turn of the loop lets the requests that are already in the socket buffers join this group.
    await new Promise((resolve) => setImmediate(resolve))
    while (queue.depth() > 0) await settle(options, queue.take())
    busyLanes -= 1
    if (busyLanes === 0) for (const wake of idle.splice(0)) wake()
  }

  const waitForCompany = () =>
    void expireAfter(companyMsMax, () => {
      if (queue.depth() > 0 && busyLanes < options.lanes) void run()
    })

  const add = (item: Item, owner: string, bytes: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      queue.add({ item, owner, bytes, resolve, reject })
      if (busyLanes === 0 || (busyLanes < options.lanes && queue.depth() >= companyItemsMin)) void run()
      else if (queue.depth() === 1 && busyLanes < options.lanes) waitForCompany()
    })

  return {
    submit: (item, owner, bytes) => {
      const refusal = queue.refusal(owner, bytes, 1)
      return refusal === undefined ? add(item, owner, bytes) : Promise.reject(refusal)
    },
    keepRoom: (owner, bytes) => {
      const refusal = queue.refusal(owner, bytes, 1)
      if (refusal !== undefined) throw refusal
      const release = queue.keepRoom(owner, bytes)
      return {
        submit: (item, bytesNow) => {
          release()
          return add(item, owner, bytesNow)
        },
        release,
      }
    },
    refusal: queue.refusal,
    drain: () => (busyLanes === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
    depth: queue.depth,
  }
}

function createQueue<Item, Answer>(limits: GroupingOptions<Item, Answer>) {
  const queue: Waiting<Item, Answer>[] = []
  const total: Load = { items: 0, bytes: 0 }
  const loads = new Map<string, Load>()

  return {
    depth: () => queue.length,
    refusal: (owner: string, bytes: number, items: number) => refusalOf(limits, total, loads.get(owner), bytes, items),
    add: (waiting: Waiting<Item, Answer>): void => {
      queue.push(waiting)
      const load = loads.get(waiting.owner) ?? { items: 0, bytes: 0 }
      if (load.items === 0) loads.set(waiting.owner, load)
      change(total, 1, waiting.bytes)
      change(load, 1, waiting.bytes)
    },
    /** Counts an item that will come; what is returned counts it no more. */
    keepRoom: (owner: string, bytes: number): (() => void) => {
      const load = loads.get(owner) ?? { items: 0, bytes: 0 }
      loads.set(owner, load)
      change(total, 1, bytes)
      change(load, 1, bytes)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        change(total, -1, -bytes)
        change(load, -1, -bytes)
        if (load.items === 0) loads.delete(owner)
      }
    },
    /** The next group: at least one item, if anything waits. */
    take: (): Waiting<Item, Answer>[] => {
      let count = 0
      for (let bytes = 0; count < queue.length && count < limits.groupItemsMax; count++) {
        bytes += (queue[count] as Waiting<Item, Answer>).bytes
        if (count > 0 && bytes > limits.groupBytesMax) break
      }
      const group = queue.splice(0, count)
      for (const { owner, bytes } of group) {
        const load = loads.get(owner) as Load
        change(total, -1, -bytes)
        change(load, -1, -bytes)
        if (load.items === 0) loads.delete(owner)
      }
      return group
    },
  }
}

/** Never rejects: whatever goes wrong is an answer to the items, and the lane goes on with the next group. */
async function settle<Item, Answer>(
  options: GroupingOptions<Item, Answer>,
  group: readonly Waiting<Item, Answer>[],
): Promise<void> {
  try {
    const answers = await options.commit(group.map(({ item }) => item))
    invariant(answers.length === group.length, 'a committed group has an answer for each item')
    for (const [index, { resolve }] of group.entries()) resolve(answers[index] as Answer)
  } catch (error) {
    if (group.length === 1 || !isItemFault(options, error)) {
      for (const { reject } of group) reject(error)
      return
    }
    const middle = Math.ceil(group.length / 2)
    await settle(options, group.slice(0, middle))
    await settle(options, group.slice(middle))
  }
}

function isItemFault<Item, Answer>(options: GroupingOptions<Item, Answer>, error: unknown): boolean {
  try {
    return options.isItemFault(error)
  } catch {
    return false
  }
}

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
