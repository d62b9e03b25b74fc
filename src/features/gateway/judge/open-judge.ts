import type { ProjectId } from '../../../access/principal.js'
import type { Members } from '../../../core/chat/index.js'
import { boundedThreshold, type Judgement } from '../../../core/routing/index.js'
import { monotonicClock } from '../../../platform/clock.js'
import type { GatewayConfig } from '../config/read-config.js'
import type { ThresholdStore } from '../store.js'
import { createSidecar } from './ask-sidecar.js'
import { giveFeedback } from './give-feedback.js'
import { type JudgeDeps, type Judged, judgeRequest, shapeOf } from './judge-request.js'
import { createThresholds } from './thresholds.js'

/** Judges how hard requests are, and learns where the tiers end. */
export function openJudge({ classifier, learned }: GatewayConfig, store: ThresholdStore) {
  const judging: JudgeDeps = {
    ...{ tier1Max: classifier.tier1_max, tier2Max: classifier.tier2_max },
    ...{ threshold: learned.threshold, sidecarWeight: learned.sidecar_weight },
  }
  const thresholds = createThresholds(store, boundedThreshold(learned.threshold), monotonicClock)
  const askSidecar = learned.sidecar_url === null ? null : createSidecar(learned.sidecar_url)
  return {
    /** `isChoosing`: whether the tier decides who answers. If not, nothing is waited for. */
    judge: async (projectId: ProjectId, body: Members, isChoosing: boolean): Promise<Judged> => {
      const asked = shapeOf(body)
      if (!isChoosing) return judgeRequest(judging, asked, judging.threshold)
      const threshold = thresholds.read(projectId)
      const said = await askSidecar?.(asked.prompt)
      return judgeRequest(judging, asked, await threshold, said)
    },
    feedback: (projectId: ProjectId, judgement: Judgement) =>
      giveFeedback({ thresholds, judging }, projectId, judgement),
    forget: thresholds.forget,
  }
}
