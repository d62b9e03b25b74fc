import type { ProjectId } from '../../access/principal.js'
import type { Ranked, Tier } from '../../core/routing/index.js'
import { AppError } from '../../platform/errors.js'
import type { CallSlot } from './account/account.js'
import { type CachedDeps, type Serve, serveCached } from './cache/serve-cached.js'
import type { ChatCall, ChatRequest, Served } from './call.js'
import { heard } from './heard-slot.js'
import type { openJudge } from './judge/open-judge.js'
import { scored } from './judge/score-header.js'
import { type ChooseDeps, chooseCandidates } from './serve/choose-candidates.js'
import { dearestOf } from './serve/dearest.js'
import { demandOf } from './serve/demand.js'
import { type ServeDeps, serveCall } from './serve/serve-call.js'
import type { OpWish } from './workflows/serve-workflow.js'

/** How candidates are found and put in order. */
export type Choosing = ChooseDeps & {
  readonly order: (
    ranked: readonly Ranked[],
    sent: ChatRequest,
    alias: string | null,
  ) => readonly Ranked[] | Promise<readonly Ranked[]>
  readonly judge: ReturnType<typeof openJudge>['judge']
}

export type AnswerDeps = {
  readonly serving: ServeDeps
  readonly choosing: Choosing
  readonly cached: CachedDeps | null
  /** What an alias is bound to, primary first; null if it is not bound. In memory on the warm path. */
  readonly resolveBound: (
    projectId: ProjectId,
    profile: string,
    alias: string,
  ) => readonly string[] | null | Promise<readonly string[] | null>
  /** Whether each call of a project gets a receipt, unasked. In memory on the warm path. */
  readonly certifies: (projectId: ProjectId) => boolean | Promise<boolean>
  readonly canIssue: boolean
  readonly newReceiptId: () => string
  readonly defaultModel: string | undefined
}

const NO_RECEIPTS = 'No private key is configured here, so no receipt can be issued, and no call was made.'

/** Answers a request: finds what its model means and who may answer, and has it served. */
export async function answerRequest(deps: AnswerDeps, asked: ChatRequest, wish?: OpWish): Promise<Served> {
  const { choosing } = deps
  const { requestedModel: model, projectId, profile } = asked
  const bound = model === undefined ? null : await deps.resolveBound(projectId, profile, model)
  const certifies = asked.wantsReceipt || deps.certifies(projectId)
  const wantsReceipt = typeof certifies === 'boolean' ? certifies : await certifies
  if (wantsReceipt && !deps.canIssue) throw new AppError('receipts-not-configured', NO_RECEIPTS)
  const sent = wantsReceipt === asked.wantsReceipt ? asked : { ...asked, wantsReceipt }
  const receiptId = wantsReceipt ? deps.newReceiptId() : null
  const alias = bound === null ? null : (model ?? null)
  const isOpen = bound === null && (model === undefined || model === 'auto')
  const isChoosing = wish?.tier === undefined && (isOpen || choosing.policy.strategy === 'tier')
  const { score, tier } = await choosing.judge(projectId, sent.body, isChoosing)
  return scored(score, () => route(deps, { sent, alias, receiptId, bound, tier, wish }))
}

type Judged = Pick<ChatCall, 'alias' | 'receiptId'> & {
  readonly sent: ChatRequest
  readonly bound: readonly string[] | null
  readonly tier: Tier
  readonly wish: OpWish | undefined
}

/** Serves a call by the backends that may answer it, in their order. */
async function route(
  { serving, choosing, cached, defaultModel }: AnswerDeps,
  { sent, alias, receiptId, bound, tier, wish }: Judged,
): Promise<Served> {
  const { requestedModel: model } = sent
  const asked = { model, bound, tier: wish?.tier ?? tier, preferred: wish?.preferred }
  const ranked = await choosing.order(
    chooseCandidates(choosing, asked, () => demandOf(sent)),
    sent,
    alias,
  )
  const candidates = ranked.map(({ backend }) => backend)
  // The choice is made: from here on the model is only reported.
  const requestedModel = model ?? defaultModel
  const dearest = dearestOf(candidates, serving.providers)
  const call: ChatCall = { ...sent, requestedModel, alias, receiptId, dearest }
  if (wish === undefined) {
    if (cached === null) return serveCall(serving, call, candidates)
    const serve: Serve = (one, keepRoom) => serveCall(serving, one, candidates, { keepRoom })
    return serveCached(cached, call, { bound, candidates }, serve)
  }
  const keepRoom = (sender: ChatCall): CallSlot => heard(serving.keepRoom(sender), wish.onRecorded)
  return serveCall(serving, call, candidates, { keepRoom, budget: wish.budget })
}
