import { type Check, fail, ok } from './check.js'

/** What `engines` in package.json says. */
export const NODE_MIN = '20.19'

export function nodeCheck(version = process.versions.node): Check {
  return {
    name: 'node',
    look: () => (isAtLeast(version, NODE_MIN) ? ok(version) : fail(`${version}: Node ${NODE_MIN} or newer is needed`)),
  }
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}
