import { WEBHOOK_LIMITS } from './limits.js'

/** What is wrong with the text of a receiver's URL, by itself; undefined if nothing is. */
export function faultOfUrl(text: string, privateAllowed: boolean): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL like https://hooks.example/llmring'
  const { protocol, username, password, hash, href } = new URL(text)
  const protocols = privateAllowed ? ['https:', 'http:'] : ['https:']
  if (!protocols.includes(protocol)) return `must begin with ${protocols.map((one) => `${one}//`).join(' or ')}`
  if (`${username}${password}` !== '') return 'must be without user and password'
  if (hash !== '' || text.includes('#')) return 'must be without a fragment'
  const { urlCharactersMax } = WEBHOOK_LIMITS
  return href.length > urlCharactersMax ? `must have at most ${urlCharactersMax} characters` : undefined
}
