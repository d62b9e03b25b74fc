import { expireAfter } from './deadline.js'
import { createGroupQueue, type GroupLimits, type GroupQueue, type QueueLimits, type Waiting } from './group-queue.js'
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
  /** How long items wait for such company that nobody waits for, also while no group is in flight. Default: 0. */
  readonly lingerMsMax?: number
} & GroupLimits &
  QueueLimits

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

/** Room in the queue for items that will come: nothing else takes it meanwhile. */
export type Room<Item, Answer> = {
  /**
   * As the grouping's own, and never refused for want of room. Once for each item; the room is used up then. An item
   * that is not awaited begins no group before it has lingered.
   */
  submit(item: Item, bytes: number, isAwaited?: boolean): Promise<Answer>
  /** Gives back what is not used up. */
  release(): void
}

/** For owners who hand over items later on, or many of them one after the other. */
export type RoomyGrouping<Item, Answer> = Grouping<Item, Answer> & {
  /** For so many items (default: 1) of so many bytes together. Throws `overloaded` if there is no room. */
  keepRoom(owner: string, bytes: number, items?: number): Room<Item, Answer>
}

/**
 * Group commit: whatever arrives while all lanes are busy becomes the next group, so one transaction carries many
 * requests under load and a lone request waits for no other. First come, first taken; with more than one lane a later
 * group may commit before an earlier one. Memory is bounded by the queue's limits plus `lanes` groups.
 */
export function createGrouping<Item, Answer>(options: GroupingOptions<Item, Answer>): RoomyGrouping<Item, Answer> {
  const queue = createGroupQueue<Item, Answer>(options)
  const lanes = createLanes(options, queue)

  const add = (item: Item, owner: string, bytes: number, isAwaited = true): Promise<Answer> =>
    new Promise((resolve, reject) => {
      queue.add({ item, owner, bytes, isAwaited, resolve, reject })
      lanes.wake(isAwaited)
    })

  return {
    submit: (item, owner, bytes) => {
      const refusal = queue.refusal(owner, bytes, 1)
      return refusal === undefined ? add(item, owner, bytes) : Promise.reject(refusal)
    },
    keepRoom: (owner, bytes, items = 1) => {
      const refusal = queue.refusal(owner, bytes, items)
      if (refusal !== undefined) throw refusal
      const kept = queue.keepRoom(owner, bytes, items)
      return {
        submit: (item, bytesNow, isAwaited) => {
          kept.use(bytesNow)
          return add(item, owner, bytesNow, isAwaited)
        },
        release: kept.release,
      }
    },
    drain: lanes.drain,
    depth: queue.depth,
  }
}

/** What takes groups out of the queue, and when. */
function createLanes<Item, Answer>(options: GroupingOptions<Item, Answer>, queue: GroupQueue<Item, Answer>) {
  const { lanes, companyItemsMin = 1, companyMsMax = 0, lingerMsMax = 0 } = options
  const idle: (() => void)[] = []
  let busyLanes = 0
  let isLingering = false

  /** Whether a group begins though no other is in flight: otherwise what is queued waits for more. */
  const isDue = () => queue.awaited() > 0 || queue.depth() >= companyItemsMin || (idle.length > 0 && queue.depth() > 0)

  const run = async (): Promise<void> => {
    busyLanes += 1
    // One turn of the loop lets the requests that are already in the socket buffers join this group.
    await new Promise((resolve) => setImmediate(resolve))
    do {
      if (queue.depth() > 0) await settle(options, queue.take())
    } while (isDue())
    busyLanes -= 1
    if (queue.depth() > 0) linger()
    else if (busyLanes === 0) for (const tell of idle.splice(0)) tell()
  }
  const runIfAny = () => {
    if (queue.depth() > 0 && busyLanes < lanes) void run()
  }
  const linger = (): void => {
    if (isLingering) return
    isLingering = true
    expireAfter(lingerMsMax, () => {
      isLingering = false
      runIfAny()
    })
  }

  return {
    /** After an item was queued. */
    wake: (isAwaited: boolean): void => {
      if (busyLanes === 0 ? isDue() : busyLanes < lanes && queue.depth() >= companyItemsMin) void run()
      else if (!isAwaited) linger()
      else if (queue.awaited() === 1 && busyLanes < lanes) expireAfter(companyMsMax, runIfAny)
    },
    drain: (): Promise<void> => {
      if (busyLanes === 0 && queue.depth() === 0) return Promise.resolve()
      const drained = new Promise<void>((resolve) => idle.push(resolve))
      if (busyLanes === 0) void run()
      return drained
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
