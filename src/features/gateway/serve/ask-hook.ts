import { chosenByHook, hookCandidates, type Ranked } from '../../../core/routing/index.js'
import { deadline } from '../../../platform/deadline.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** What a hook is told of a request. */
export type HookRequest = {
  readonly model: string | null
  readonly alias: string | null
  readonly profile: string
  readonly stream: boolean
  readonly body: unknown
}

/** An operator's own choice: a name, or names, of these candidates. */
export type Hook = (candidates: ReturnType<typeof hookCandidates>, request: HookRequest) => unknown

/**
 * The candidates in the order that the hook chose. One that fails, or takes longer than `hookMsMax`, changes nothing,
 * and `onFault` is told of it.
 */
export async function askHook(
  { hook, onFault }: { readonly hook: Hook; readonly onFault: (error: unknown) => void },
  ranked: readonly Ranked[],
  request: HookRequest,
): Promise<readonly Ranked[]> {
  try {
    const choice = await deadline(Promise.resolve(hook(hookCandidates(ranked), request)), GATEWAY_LIMITS.hookMsMax)
    return chosenByHook(ranked, choice)
  } catch (error) {
    onFault(error)
    return ranked
  }
}
