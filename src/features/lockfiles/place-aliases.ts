import { longestIncreasing } from './longest-increasing.js'

/**
 * Where the aliases of a profile stand so that they have the order of a file. As few as possible move: those on a
 * longest run that is in order keep their places, the others get places between their neighbours. If no double lies
 * between two neighbours, all are numbered anew behind `lastPlace`. `held`: the places there are, in their order.
 */
export function placeAliases(
  wanted: readonly string[],
  held: ReadonlyMap<string, number>,
  lastPlace: number,
): ReadonlyMap<string, number> {
  const ranks = new Map([...held.keys()].map((alias, rank) => [alias, rank]))
  const known = wanted.filter((alias) => ranks.has(alias))
  const kept = new Set(longestIncreasing(known.map((alias) => ranks.get(alias) ?? 0)).map((index) => known[index]))
  const places = new Map<string, number>()
  let before: number | undefined
  let moved: string[] = []
  for (const alias of wanted) {
    const place = kept.has(alias) ? held.get(alias) : undefined
    if (place === undefined) {
      moved.push(alias)
      continue
    }
    if (!placeBetween(places, moved, before, place)) return renumbered(wanted, lastPlace)
    places.set(alias, place)
    before = place
    moved = []
  }
  const end = Math.max(before ?? 0, lastPlace)
  moved.forEach((alias, index) => {
    places.set(alias, end + index + 1)
  })
  return places
}

/** False if there is no room. */
function placeBetween(
  places: Map<string, number>,
  moved: readonly string[],
  before: number | undefined,
  after: number,
): boolean {
  const step = before === undefined ? 1 : (after - before) / (moved.length + 1)
  const start = before ?? after - moved.length - 1
  let last = start
  for (const [index, alias] of moved.entries()) {
    const place = start + step * (index + 1)
    if ((before !== undefined && place <= last) || place >= after) return false
    places.set(alias, place)
    last = place
  }
  return true
}

const renumbered = (wanted: readonly string[], lastPlace: number) =>
  new Map(wanted.map((alias, index) => [alias, lastPlace + index + 1]))
