/**
 * The service with one route more: `/unkept` issues receipts as `/api/v1/receipts/issue` does and keeps none of them. It
 * is the baseline of storing, in the very process that stores. Configured like the service; prints its URL.
 */
import { compose } from '../../src/compose/service.js'
import { readConfig } from '../../src/config/config.js'
import { createGuards } from '../../src/http/guards.js'
import { createListener } from '../../src/http/listener.js'
import { listen } from '../../src/http/server.js'
import { createLogger } from '../../src/platform/logger.js'

const read = readConfig()
if (!read.ok) throw new Error(read.faults.join('\n'))
const { listen: door, logging } = read.config
const logger = createLogger('warn', 2)
const service = await compose(read.config, logger)
const { authenticate, recall, settle } = service.projects
const open = { adminKey: undefined, perKey: undefined, perAddress: undefined, bodyBytesMax: door.bodyBytesMax }
service.receipts.mountUnkeptIssue(service.app, createGuards({ authenticate, recall, settle, ...open }), '/unkept')
const listener = createListener({
  ...{ fetch: service.app.fetch, logger, metrics: service.metrics, corsOrigins: door.corsOrigins },
  ...{ trustedProxies: 0, accessShare: logging.accessShare, slowMs: logging.slowMs },
})
const server = await listen(listener, '127.0.0.1', 0)
process.stderr.write(`answers at ${server.url}\n`)
process.once('SIGTERM', () => void server.drain(1_000).then(service.close))
