import { spawnSync } from 'node:child_process'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Where a Chromium of the system is: the one that TEST_CHROMIUM names, or one on the PATH; null if there is none. */
export const CHROMIUM: string | null =
  [process.env.TEST_CHROMIUM ?? '', ...NAMES].map(placeOf).find((place) => place !== '') ?? null

/** Why tests in a browser are skipped; null where they run. */
export const CHROMIUM_MISSING = CHROMIUM === null ? `none of ${NAMES.join(', ')} is on the PATH` : null

function placeOf(command: string): string {
  if (command === '') return ''
  return spawnSync('sh', ['-c', 'command -v "$0"', command], { encoding: 'utf8' }).stdout.trim()
}
