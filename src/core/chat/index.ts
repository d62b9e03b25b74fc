export { estimateRequestTokens, estimateTokens } from './estimate.js'
export { wantsJsonTool } from './json-tool.js'
export { isMembers, listOf, type Members, membersOf, textOf } from './members.js'
export { passAnthropicStream, passOpenAiStream } from './pass-stream.js'
export { failureFrame, renderFrame, type StreamFrame, type StreamTranslator } from './stream.js'
export { toAnthropicRequest } from './to-anthropic-request.js'
export { toAnthropicStream } from './to-anthropic-stream.js'
export { type LimitName, toOpenAiRequest } from './to-openai-request.js'
export { toOpenAiStream } from './to-openai-stream.js'
export { toAnthropicAnswer, toOpenAiAnswer } from './translate-answer.js'
export type { TranslatedRequest } from './translation.js'
export { type ChatUsage, NO_USAGE, openAiUsage } from './usage.js'
export {
  type AnswerWatch,
  type ChatWire,
  estimateAnswer,
  readAnswerError,
  readAnswerUsage,
  watchStream,
} from './watch-answer.js'
