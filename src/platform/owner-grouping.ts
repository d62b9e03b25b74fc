import { expireAfter } from './deadline.js'
import type { Grouping, GroupingOptions } from './grouping.js'
import { invariant } from './invariant.js'
import {
  addToLine,
  createLines,
  type Group,
  type Line,
  type LineLimits,
  type Lines,
  putBack,
  releaseLine,
  takeGroup,
  takePatient,
  type Waiting,
} from './owner-lines.js'

/** The answer to an item whose owner another instance has locked: it is tried again. */
export const HELD = Symbol('held elsewhere')

export type OwnerGroupingOptions<Item, Answer> = LineLimits &
  Pick<GroupingOptions<Item, Answer>, 'isItemFault' | 'lanes'> & {
    /** As in `GroupingOptions`, of what may be taken. */
    readonly companyItemsMin: number
    readonly companyMsMax: number
    /**
     * Commits one group and answers each item, in the items' order; no owner is in two groups at a time. Throws if
     * nothing of the group was committed. `mayWait`: the group is of one owner, and may wait for that one's lock.
     */
    readonly commit: (items: readonly Item[], mayWait: boolean) => Promise<readonly (Answer | typeof HELD)[]>
    /** How long an owner rests that was held. */
    readonly restMs: number
  }

/**
 * Group commit for items whose owner has a lock: as `createGrouping`, but items of one owner are committed one group
 * after the other, in the order of their arrival, and an owner that is in flight, or held by another instance, keeps no
 * other waiting. A held owner's items go back to the head of its line and rest for a moment; one that is held again and
 * again gets a group of its own, beside the lanes, that waits for the lock: with attempts alone an instance would
 * starve beside a busy one.
 */
export function createOwnerGrouping<Item, Answer>(options: OwnerGroupingOptions<Item, Answer>): Grouping<Item, Answer> {
  const { lanes, companyItemsMin } = options
  const lines = createLines<Item, Answer>()
  const idle: (() => void)[] = []
  let busyLanes = 0
  let isPatient = false

  const release = (line: Line<Item, Answer>): void => {
    releaseLine(lines, options, line)
    if (lines.all.size === 0) for (const tell of idle.splice(0)) tell()
  }
  const commit = (group: Group<Item, Answer>, mayWait: boolean): Promise<void> =>
    commitGroup({ options, lines, release, wake }, group, mayWait)
  const run = async (): Promise<void> => {
    busyLanes += 1
    // One turn of the loop lets the requests that are already in the socket buffers join this group.
    await new Promise((resolve) => setImmediate(resolve))
    while (lines.readyItems > 0) await commit(takeGroup(lines, options), false)
    busyLanes -= 1
  }
  const runPatient = async (): Promise<void> => {
    isPatient = true
    for (let group = takePatient(lines, options); group !== undefined; group = takePatient(lines, options)) {
      await commit(group, true)
      wake()
    }
    isPatient = false
  }
  const awaitCompany = onceAwaited(options.companyMsMax, () => {
    if (lines.readyItems > 0 && busyLanes < lanes) void run()
  })
  const wake = (): void => {
    if (!isPatient && lines.patient.size > 0) void runPatient()
    if (lines.readyItems === 0 || busyLanes >= lanes) return
    if (busyLanes === 0 || lines.readyItems >= companyItemsMin) void run()
    else awaitCompany()
  }
  return {
    submit: (item, owner, bytes) =>
      new Promise((resolve, reject) => {
        const refusal = addToLine(lines, options, owner, { item, bytes, since: performance.now(), resolve, reject })
        if (refusal === undefined) wake()
        else reject(refusal)
      }),
    drain: () => (lines.all.size === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
    depth: () => lines.total.items,
  }
}

type Releasing<Item, Answer> = {
  readonly options: OwnerGroupingOptions<Item, Answer>
  readonly lines: Lines<Item, Answer>
  readonly release: (line: Line<Item, Answer>) => void
  readonly wake: () => void
}

/** Answers what was committed; what was held goes back to its line, which rests. */
async function commitGroup<Item, Answer>(
  { options, lines, release, wake }: Releasing<Item, Answer>,
  group: Group<Item, Answer>,
  mayWait: boolean,
): Promise<void> {
  for (const [line, held] of await settleGroup(options, group, mayWait)) {
    if (held.length === 0) {
      line.rests = 0
      release(line)
      continue
    }
    putBack(lines, options, line, held)
    expireAfter(options.restMs, () => {
      release(line)
      wake()
    })
  }
}

/** Calls `expire` after `ms` milliseconds, once for all that ask meanwhile. */
function onceAwaited(ms: number, expire: () => void): () => void {
  let isAwaited = false
  return () => {
    if (isAwaited) return
    isAwaited = true
    expireAfter(ms, () => {
      isAwaited = false
      expire()
    })
  }
}

/** What was held of each line. Never rejects: whatever goes wrong is an answer to the items. */
async function settleGroup<Item, Answer>(
  options: OwnerGroupingOptions<Item, Answer>,
  group: Group<Item, Answer>,
  mayWait: boolean,
): Promise<Group<Item, Answer>> {
  const held: Group<Item, Answer> = new Map([...group.keys()].map((line) => [line, []]))
  const placed: Placed<Item, Answer>[] = []
  for (const [line, taken] of group) for (const one of taken) placed.push({ held: held.get(line) ?? [], one })
  await settle(options, placed, mayWait)
  return held
}

/** An item, and where it is put if its owner is held. */
type Placed<Item, Answer> = { readonly held: Waiting<Item, Answer>[]; readonly one: Waiting<Item, Answer> }

/** A group that fails by the fault of an item is halved until that one stands alone. */
async function settle<Item, Answer>(
  options: OwnerGroupingOptions<Item, Answer>,
  group: readonly Placed<Item, Answer>[],
  mayWait: boolean,
): Promise<void> {
  try {
    const items = group.map(({ one }) => one.item)
    const answers = await options.commit(items, mayWait)
    invariant(answers.length === group.length, 'a committed group has an answer for each item')
    for (const [index, { held, one }] of group.entries()) {
      const answer = answers[index] as Answer | typeof HELD
      if (answer === HELD) held.push(one)
      else one.resolve(answer)
    }
  } catch (error) {
    if (group.length === 1 || !options.isItemFault(error)) {
      for (const { one } of group) one.reject(error)
      return
    }
    const middle = Math.ceil(group.length / 2)
    await settle(options, group.slice(0, middle), mayWait)
    // Behind those of its owner that are held, nothing may go ahead.
    const later = group.slice(middle)
    for (const { held, one } of later) if (held.length > 0) held.push(one)
    const free = later.filter(({ held }) => held.length === 0)
    if (free.length > 0) await settle(options, free, mayWait)
  }
}
