import { PROJECT_LIMITS } from './limits.js'

/** What a project's or a key's name has to be, in words. */
export const NAME_RULE = `must have 1 to ${PROJECT_LIMITS.nameCharactersMax} characters, not only spaces, and no control characters`

/** Names are shown on terminals and in lists: what would move a cursor or show as nothing is refused. */
export function isName(text: string): boolean {
  return text.trim() !== '' && text.length <= PROJECT_LIMITS.nameCharactersMax && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)
}
