import { dirname, join } from 'node:path/posix'
import { describe, expect, test } from 'vitest'
import { readSourceFiles, type SourceFile } from './source-files.js'

const FILES_OF_A_FOLDER_MAX = 45
/** A file of a room: the floor that it is on, its room, and the rest. */
const IN_A_ROOM = /^(src\/(?:http|features\/[a-z]+))\/([a-z]+)\/[^/]+$/
const IMPORTED = /\bfrom '(\.{1,2}\/[^']+)\.js'/g

type File = Pick<SourceFile, 'path' | 'text'>

/** Which room imports which: `src/http: listen -> body`. What stands beside the rooms is open to all of them. */
function arrowsOf(files: readonly File[]): Set<string> {
  const arrows = files.flatMap(({ path, text }) => {
    const [, floor, room] = IN_A_ROOM.exec(path) ?? []
    if (room === undefined) return []
    return [...text.matchAll(IMPORTED)].flatMap(([, target = '']) => {
      const [, itsFloor, itsRoom] = IN_A_ROOM.exec(join(dirname(path), target)) ?? []
      return itsFloor === floor && itsRoom !== room ? [`${floor}: ${room} -> ${itsRoom}`] : []
    })
  })
  return new Set(arrows)
}

/** The rooms that are reached from themselves. */
function circlesOf(arrows: ReadonlySet<string>): string[] {
  const next = new Map<string, string[]>()
  for (const arrow of arrows) {
    const [, floor, from, to] = /^(.+): (\w+) -> (\w+)$/.exec(arrow) ?? []
    next.set(`${floor}/${from}`, [...(next.get(`${floor}/${from}`) ?? []), `${floor}/${to}`])
  }
  return [...next.keys()].filter((room) => {
    const reached = new Set(next.get(room))
    for (const step of reached) for (const further of next.get(step) ?? []) reached.add(further)
    return reached.has(room)
  })
}

describe('the rooms of a floor', () => {
  const source = readSourceFiles('src')

  test('import one another in one direction only', () => {
    const arrows = arrowsOf(source)
    expect(arrows.size).toBeGreaterThan(10)
    expect(circlesOf(arrows)).toEqual([])
  })

  test('are seen where they import in a circle', () => {
    const text = (target: string) => `import { one } from '${target}'\n`
    const planted = [
      { path: 'src/http/body/planted.ts', text: text('../stream/planted.js') },
      { path: 'src/http/stream/planted.ts', text: text('../listen/planted.js') },
      { path: 'src/http/listen/planted.ts', text: text('../body/planted.js') },
      { path: 'src/features/usage/record/planted.ts', text: text('../event.js') + text('../stats/planted.js') },
    ]
    expect(arrowsOf(planted)).toContain('src/features/usage: record -> stats')
    expect(circlesOf(arrowsOf(planted))).toEqual(['src/http/body', 'src/http/stream', 'src/http/listen'])
  })

  test(`keep every folder to ${FILES_OF_A_FOLDER_MAX} files`, () => {
    const counts = new Map<string, number>()
    for (const { path } of source) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
    expect([...counts].filter(([, count]) => count > FILES_OF_A_FOLDER_MAX)).toEqual([])
  })
})
