import type { Config } from '../../config/config.js'
import { CLI_LIMITS } from '../limits.js'

const HIDDEN = '[hidden]'

/**
 * Takes every configured secret out of a text. No check puts one in; this is for the words of drivers and servers that
 * checks pass on.
 */
export function hideSecrets(config: Config): (text: string) => string {
  const { database, redis, receipts, log, projects } = config
  const urls = [database.url?.reveal(), database.directUrl?.reveal(), redis.url?.reveal()]
  const plain = [receipts.privateKey, log.privateKey, projects.adminKey, projects.pepper, projects.pepperPrevious]
  const secrets = [...urls.flatMap(passwordsIn), ...plain.flatMap((secret) => secret?.reveal() ?? [])]
    .filter((secret) => secret.length >= CLI_LIMITS.secretCharactersMin)
    .sort((one, other) => other.length - one.length)
  return (text) => secrets.reduce((left, secret) => left.replaceAll(secret, HIDDEN), text)
}

/** As it stands in the URL, and as it is sent. */
function passwordsIn(url: string | undefined): string[] {
  if (url === undefined) return []
  const { password } = new URL(url)
  return [password, decodeURIComponent(password)]
}
