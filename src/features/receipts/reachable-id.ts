import { isUsableTarget } from '../../http/listen/request-target.js'

/** What other routes answer at the address of such a receipt. */
const TAKEN = new Set(['public-key.pem', 'public-key.jwk', 'public-keys.json', 'uncertified', 'export', 'keys'])

export const UNREACHABLE_ID = 'could not be fetched under this id'

/** Whether a receipt can be fetched under its id: the address must mean it, and be one that is used as it was sent. */
export function isReachableId(id: string): boolean {
  return !TAKEN.has(id) && isUsableTarget(`/${encodeURIComponent(id.toWellFormed())}`)
}
