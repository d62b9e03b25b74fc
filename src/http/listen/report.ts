import type { IncomingMessage } from 'node:http'
import { NO_PROJECT } from '../../access/principal.js'
import { describeError, type Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import { PROBLEMS } from '../../platform/problem-catalogue.js'
import type { RequestContext } from '../request-context.js'
import type { ResponseCut } from '../stream/stream.js'
import type { RefusalLines } from './refusal-lines.js'
import type { ReportUnparsed } from './unparsed.js'

/** Where requests are counted and get their lines. */
export type Reports = {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly refusals: RefusalLines
  readonly unavailable: RefusalLines
  readonly accessShare: number
  readonly slowMs: number
}

const UNPARSED = '(unparsed)'

/**
 * Counts the request and writes its line, if it gets one: failed and slow ones always do, refused ones up to a number a
 * second.
 */
export function report(
  options: Reports,
  context: RequestContext,
  incoming: IncomingMessage,
  status: number,
  cut: ResponseCut | undefined,
): void {
  const milliseconds = performance.now() - context.startedAt
  const method = incoming.method ?? ''
  options.metrics.observeRequest(context.route, method, status, milliseconds / 1000)
  const ordinary = status < 400 && (context.isParked || milliseconds < options.slowMs)
  if (ordinary && Math.random() >= options.accessShare) return
  const line = {
    request_id: context.requestId,
    method,
    route: context.route,
    status,
    ms: Math.round(milliseconds * 100) / 100,
    address: context.address,
    ...(context.projectId === null || context.projectId === NO_PROJECT ? {} : { project_id: context.projectId }),
    ...(context.code === null ? {} : { code: context.code }),
    ...(cut === undefined ? {} : { error: describeError(cut.reason()) }),
  }
  const isRefusal = (status >= 400 && status < 500) || context.code === 'overloaded'
  if (isRefusal) options.refusals.write(line, context.code ?? String(status))
  else if (status === 503) options.unavailable.write(line, context.code ?? String(status))
  else if (status >= 500) options.logger.error(line, 'request')
  else options.logger.info(line, 'request')
}

/** What Node cannot parse is counted, and its line is one of the refused requests'. */
export function createUnparsedReport({ metrics, refusals }: Reports): ReportUnparsed {
  return ({ requestId, code, address }) => {
    const { status } = PROBLEMS[code]
    metrics.observeRequest(UNPARSED, '', status, 0)
    refusals.write({ request_id: requestId, route: UNPARSED, status, address, code }, code)
  }
}
