/** Why an answer ended, as OpenAI says it, for each of Anthropic's reasons. */
const FINISH_REASONS = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
])

/** The other way round. */
const STOP_REASONS = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
])

/** An answer that is the input of the tool for JSON called none that its caller knows. */
export const finishReasonOf = (stopReason: unknown, isJsonTool = false): string =>
  isJsonTool && stopReason === 'tool_use' ? 'stop' : (FINISH_REASONS.get(String(stopReason)) ?? 'stop')

export const stopReasonOf = (finishReason: unknown): string => STOP_REASONS.get(String(finishReason)) ?? 'end_turn'
