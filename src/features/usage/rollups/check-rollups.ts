import type { Differences, RollupStore } from './rollup-store.js'

export type CheckDeps = Pick<RollupStore, 'nextProject' | 'listDays'> & {
  /** Compares a day, or repairs it. */
  readonly settle: RollupStore['compare']
}
export type DayDifferences = Differences & { readonly projectId: string; readonly day: string }

/**
 * Compares the rollups of every project with its rows, one day after the other, and gives the days that differ. It may
 * run while events are recorded: each day is one snapshot.
 */
export async function* checkRollups({ nextProject, listDays, settle }: CheckDeps): AsyncGenerator<DayDifferences> {
  for (let id = await nextProject(null); id !== undefined; id = await nextProject(id)) {
    for (const day of await listDays(id)) {
      const found = await settle({ projectId: id, day })
      if (found.ofRows + found.ofGrains + found.ofLatencies > 0) yield { projectId: id, day, ...found }
    }
  }
}
