import { isMembers } from './members.js'

/** How many characters of plain English make a token, about; of other scripts one character is about one token. */
const PLAIN_CHARACTERS_PER_TOKEN = 4
/** What an image is counted as: its size is not looked at. */
const IMAGE_TOKENS = 1_000
const DATA_URL = /^data:[a-z]+\/[a-z0-9.+-]+;base64,/i
const DEPTH_MAX = 128
/** The engine keeps a text of Latin-1 with a byte for each character, and knows that it has none of these. */
const OTHER_SCRIPT = /[\u0250-\uffff]/

/**
 * About how many tokens a text has: a count of its characters, in one pass. It is no tokenizer: those take seconds for
 * 50 kB of one letter, and this one runs while other requests wait.
 */
export function estimateTokens(text: string): number {
  // 30 MiB of English would hold the event loop for 0.2 s.
  if (!OTHER_SCRIPT.test(text)) return Math.ceil(text.length / PLAIN_CHARACTERS_PER_TOKEN)
  let plain = 0
  let other = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x250) plain += 1
    // The second half of a pair is no character of its own.
    else if (code < 0xdc00 || code > 0xdfff) other += 1
  }
  return Math.ceil(plain / PLAIN_CHARACTERS_PER_TOKEN) + other
}

/** The same of a request's messages, system prompt and tools. Images count as `IMAGE_TOKENS`, whatever they are. */
export function estimateRequestTokens(body: unknown): number {
  const estimate = (value: unknown, depth: number): number => {
    if (typeof value === 'string') return DATA_URL.test(value.slice(0, 100)) ? IMAGE_TOKENS : estimateTokens(value)
    if (depth > DEPTH_MAX || typeof value !== 'object' || value === null) return 0
    if (isMembers(value) && value['type'] === 'base64') return IMAGE_TOKENS
    let tokens = 0
    for (const member of Object.values(value)) tokens += estimate(member, depth + 1)
    return tokens
  }
  if (!isMembers(body)) return 0
  return estimate([body['system'], body['messages'], body['tools']], 0)
}
