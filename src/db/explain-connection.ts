/** What to check, by system error, TLS error or SQLSTATE. The first member that fits a code counts. */
const CHECKS: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens there: is PostgreSQL running, and are host and port right?'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'the host name is not known: is it spelled right, and does DNS answer?'],
  [
    /^(CONNECT_TIMEOUT|QUERY_NOT_SENT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    'nothing answers: is it the right address, and does a firewall drop packets?',
  ],
  [
    /^(CONNECTION_|ECONNRESET|EPIPE)/,
    'the connection broke off: is that a PostgreSQL, does it want TLS (?sslmode=require) or have none, does it have connections left?',
  ],
  [/^28/, 'it does not let this user in: check user and password in the URL, and pg_hba.conf there'],
  [/^3D000$/, 'there is no such database: create it, or correct its name in the URL'],
  [/^42501$/, 'the role lacks a right: it needs CREATE on the database, or a schema of its own made beforehand'],
  [/^53300$/, 'it has no connections left: raise max_connections there, or lower LLMRING_DATABASE_POOL_SIZE'],
  [/^57P03$/, 'it is starting up or shutting down: try again in a moment'],
  [
    /(CERT|SELF_SIGNED|SSL|TLS)/,
    'its TLS certificate is not accepted: check sslmode in the URL, or NODE_EXTRA_CA_CERTS',
  ],
]

/** Trouble with a connection, in words that name the database and what to check; anything else as it is. No secrets. */
export function explainConnection(error: unknown, url: string, setting = 'LLMRING_DATABASE_URL'): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const check = CHECKS.find(([codes]) => code !== undefined && codes.test(code))?.[1]
  if (code === undefined || check === undefined) return error
  const { host, pathname, username } = new URL(url)
  const user = username === '' ? '' : `, user ${decodeURIComponent(username)}`
  return new Error(`Database ${host}${pathname}${user}: ${check} (${code}). Its address is ${setting}.`, {
    cause: error,
  })
}
