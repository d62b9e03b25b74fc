import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { compileFunction } from 'node:vm'
import { type Repair, repairText } from './repairs.js'

/** The repairs are of this version's text. Another one has to be read, repaired and tried under faults anew. */
export const DRIVER_VERSION = '3.4.9'

const INSTALLED = createRequire(import.meta.url).resolve('postgres')

/**
 * Loads postgres.js (`entry`: its `cjs/src/index.js`) with `repairs` applied to its text in memory: the installed files
 * stay as they are, so it does not matter how they were installed. Throws for another version, and unless every place
 * to be repaired is found exactly once.
 */
export function loadDriver(repairs: readonly Repair[], entry = INSTALLED): unknown {
  refuseOtherVersion(join(dirname(entry), '../../package.json'))
  const unread = new Set(repairs.map((repair) => repair.file))
  const loaded = loadFile(entry, repairs, unread)
  if (unread.size > 0) throw new Error(`The driver does not load ${[...unread].join(', ')}, which has repairs.`)
  return loaded
}

/** Runs a CommonJS file. Those beside it that have repairs are loaded likewise, all others by Node. */
function loadFile(path: string, repairs: readonly Repair[], unread: Set<string>): unknown {
  const file = basename(path)
  unread.delete(file)
  const text = repairText(file, readFileSync(path, 'utf8'), repairs)
  const nodeRequire = createRequire(path)
  const require = (name: string): unknown => {
    const repaired = name.startsWith('./') && repairs.some((repair) => repair.file === basename(name))
    return repaired ? loadFile(nodeRequire.resolve(name), repairs, unread) : nodeRequire(name)
  }
  const module: { exports: unknown } = { exports: {} }
  compileFunction(text, ['module', 'exports', 'require'], { filename: path })(module, module.exports, require)
  return module.exports
}

function refuseOtherVersion(manifestPath: string): void {
  const { version } = JSON.parse(readFileSync(manifestPath, 'utf8')) as { version?: string }
  if (version === DRIVER_VERSION) return
  throw new Error(`postgres.js ${version} is installed, but its repairs are for ${DRIVER_VERSION}. Run \`npm ci\`.`)
}
