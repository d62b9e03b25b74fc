import { setTimeout as pause } from 'node:timers/promises'
import type { Statements } from './client.js'
import { DATABASE_LIMITS } from './limits.js'

export type MigrationWait = {
  /** How long to wait while another session migrates; default two minutes. */
  readonly waitMsMax?: number
  /** Told once, when there is something to wait for. */
  readonly onWaiting?: (holder: string) => void
}

/**
 * Takes the lock under which one session at a time migrates a schema; the end of the transaction gives it back. It is
 * asked for again and again, since a session that waits inside of the server does not notice that its client is gone.
 * Throws after `waitMsMax`, with who holds it.
 */
export async function takeMigrationLock(tx: Statements, schema: string, wait: MigrationWait): Promise<void> {
  const name = `llmring-migrate:${schema}`
  const giveUpAt = performance.now() + (wait.waitMsMax ?? DATABASE_LIMITS.migrationWaitMsMax)
  let told = false
  for (;;) {
    const [lock] = await tx<{ taken: boolean }[]>`
      select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as taken`
    if (lock?.taken === true) return
    const giveUp = performance.now() >= giveUpAt
    if (!told || giveUp) {
      const holder = await describeHolder(tx, name)
      if (giveUp) throw new Error(complaint(schema, holder))
      wait.onWaiting?.(holder)
      told = true
    }
    await pause(DATABASE_LIMITS.migrationPollMs)
  }
}

function complaint(schema: string, holder: string): string {
  return `The schema '${schema}' is being migrated by another session, which did not end in time: ${holder}. Wait until it is done, or, if it hangs, end it: select pg_terminate_backend(<pid>).`
}

/** The session that holds the lock: `pid 4711, 'llmring-server migrations' from 10.0.0.7, since 12 s`. */
async function describeHolder(tx: Statements, name: string): Promise<string> {
  const [holder] = await tx<{ pid: number; program: string | null; address: string | null; seconds: number | null }[]>`
    select l.pid, a.application_name as program, host(a.client_addr) as address,
      extract(epoch from clock_timestamp() - a.xact_start)::integer as seconds
    from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(${name}, 0)`
  if (holder === undefined) return 'it has just ended'
  const since = holder.seconds === null ? '' : `, since ${holder.seconds} s`
  return `pid ${holder.pid}, '${holder.program ?? 'unknown'}' from ${holder.address ?? 'this machine'}${since}`
}
