import { chown, readFile, stat } from 'node:fs/promises'
import { EmbeddedError } from './embedded-error.js'

/** The system user that Postgres runs as. Without `ids` it is the user that this process runs as. */
export type Account = {
  readonly name: string
  readonly ids: { readonly uid: number; readonly gid: number } | undefined
}

/** Postgres refuses to run as root: these are tried instead, in this order. */
const STAND_INS = ['postgres', 'nobody'] as const

/** Whether this process is root's and so must run Postgres as another user. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/**
 * The user to run Postgres as: ourselves, or for root `postgres` or `nobody`. Throws `start-failed` if neither exists.
 */
export async function chooseAccount(): Promise<Account> {
  if (!isRoot()) return { name: 'this user', ids: undefined }
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '')
  for (const name of STAND_INS) {
    const ids = idsIn(passwd, name)
    if (ids !== undefined) return { name, ids }
  }
  throw new EmbeddedError(
    'start-failed',
    'Postgres refuses to run as root, and this system has neither a user postgres nor a user nobody. Run llmring-server as another user, or set LLMRING_DATABASE_URL.',
  )
}

/**
 * The account for a cluster that exists already: its owner, because Postgres accepts no other user.
 * Throws `start-failed` if this process may not act as the owner.
 */
export async function accountOfCluster(clusterDir: string, chosen: Account): Promise<Account> {
  const { uid, gid } = await stat(clusterDir)
  if (chosen.ids === undefined) {
    if (uid === process.getuid?.()) return chosen
    throw new EmbeddedError(
      'start-failed',
      `The database in ${clusterDir} belongs to user id ${uid}. Run llmring-server as that user or as root, or use another data directory.`,
    )
  }
  if (uid === 0) {
    throw new EmbeddedError(
      'start-failed',
      `The database in ${clusterDir} belongs to root, as after a copy, and Postgres refuses to run as root. Copy databases with \`llmring-server dump\` and \`restore\`; or give it back, with its password file, to the user who owned it (chown -R).`,
    )
  }
  if (uid === chosen.ids.uid) return chosen
  return { name: `user id ${uid}`, ids: { uid, gid } }
}

/** What `spawn` needs to start a process as the account; libuv drops all supplementary groups with it. */
export function spawnIdentity(account: Account): { uid?: number; gid?: number } {
  if (account.ids === undefined) return {}
  // Node takes signed 32-bit ids here and unsigned ones in chown; they differ for ids such as nobody's -2 on macOS.
  return { uid: account.ids.uid | 0, gid: account.ids.gid | 0 }
}

/** Makes the account the owner of one file or folder; nothing to do if the account is ourselves. */
export async function giveTo(account: Account, path: string): Promise<void> {
  if (account.ids !== undefined) await chown(path, account.ids.uid, account.ids.gid)
}

function idsIn(passwd: string, name: string): { uid: number; gid: number } | undefined {
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':')
    if (user === name && uid && gid) return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }
  }
  return undefined
}
