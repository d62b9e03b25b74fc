export { estimateRequestTokens, estimateTokens } from './estimate.js'
export { isMembers, listOf, type Members, membersOf, textOf } from './members.js'
export { passAnthropicStream, passOpenAiStream } from './pass-stream.js'
export { failureFrame, renderFrame, type StreamFrame, type StreamTranslator } from './stream.js'
export { type ChatUsage, NO_USAGE, openAiUsage } from './usage.js'
export {
  type AnswerWatch,
  type ChatWire,
  estimateAnswer,
  readAnswerError,
  readAnswerUsage,
  watchStream,
} from './watch-answer.js'
