/** One download's place among those that read ahead. */
export type AheadPlace = {
  hasRoom(): boolean
  /** Begins to read, unless as many pages as may wait do; its rejection is not unhandled before it is taken. */
  begin<T>(read: () => Promise<T>): Promise<T> | undefined
  /** The page that was begun; it no longer counts as waiting. */
  take<T>(page: Promise<T>): Promise<T>
  /** What was begun and not taken no longer counts. */
  leave(): void
}
export type Ahead = { enter(): AheadPlace }

/**
 * How many pages may be read before their readers ask for them, of all downloads together. A page counts until it is
 * taken, so that readers who stand still hold no more memory than that; without one a download is slower and no more.
 */
export function createAhead(pagesMax: number): Ahead {
  let waiting = 0
  return {
    enter: () => {
      let mine = 0
      const giveBack = (pages: number) => {
        waiting -= pages
        mine -= pages
      }
      const hasRoom = () => waiting < pagesMax
      return {
        hasRoom,
        begin: (read) => {
          if (!hasRoom()) return undefined
          waiting += 1
          mine += 1
          const page = read()
          page.catch(() => undefined)
          return page
        },
        take: (page) => page.finally(() => giveBack(Math.min(mine, 1))),
        leave: () => giveBack(mine),
      }
    },
  }
}
