/** What an OpenAI-compatible service is called by: where it answers, and the variable that holds its key. */
export type Template = {
  readonly baseUrl: string
  readonly apiKeyEnv: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** Types of provider that speak OpenAI's language, with what need not be configured then. */
export const TEMPLATES: Readonly<Record<string, Template>> = {
  openai: { baseUrl: 'https://api.openai.com/v1', apiKeyEnv: 'OPENAI_API_KEY' },
  huggingface: { baseUrl: 'https://router.huggingface.co/v1', apiKeyEnv: 'HF_TOKEN' },
  groq: { baseUrl: 'https://api.groq.com/openai/v1', apiKeyEnv: 'GROQ_API_KEY' },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    apiKeyEnv: 'OPENROUTER_API_KEY',
    headers: { 'HTTP-Referer': 'https://github.com/llmring', 'X-Title': 'llmring-server' },
  },
  ollama: { baseUrl: 'http://127.0.0.1:11434/v1', apiKeyEnv: null },
  vllm: { baseUrl: 'http://127.0.0.1:8000/v1', apiKeyEnv: null },
  google: { baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai', apiKeyEnv: 'GEMINI_API_KEY' },
  nvidia_nim: { baseUrl: 'https://integrate.api.nvidia.com/v1', apiKeyEnv: 'NVIDIA_NIM_KEY' },
}

const ANTHROPIC_TEMPLATE: Template = {
  baseUrl: 'https://api.anthropic.com/v1',
  apiKeyEnv: 'ANTHROPIC_API_KEY',
}

/** What is known of a type of provider; null of one that is not known, and of the echo. */
export function templateOf(type: string): Template | null {
  if (type === 'anthropic') return ANTHROPIC_TEMPLATE
  return Object.hasOwn(TEMPLATES, type) ? (TEMPLATES[type] ?? null) : null
}
