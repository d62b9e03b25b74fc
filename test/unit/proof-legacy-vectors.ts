/**
 * Receipts as the last version of the Python server wrote them, byte for byte. They were made for this project, with
 * Python, pydantic 2, rfc8785 and PyNaCl, from the seed 00 01 … 1f and data of our own: `SIGNED` is what was signed,
 * the others are what was sent.
 */
export const LEGACY_SEED = Uint8Array.from({ length: 32 }, (_, index) => index)
export const LEGACY_PUBLIC_KEY = '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8'

/** Two calls certified together: everything behind the signature was added later. */
export const BATCH =
  '{"receipt_id":"rcpt_5d1f0c9a7b3e4d62","timestamp":"2025-11-14T09:26:53.589793Z","alias":"summarizer","profile":"default","lock_digest":"","provider":"openai","model":"batch:2 calls","prompt_tokens":1500,"completion_tokens":420,"total_tokens":1920,"input_cost":0.0,"output_cost":0.0,"total_cost":0.30000000000000004,"signature":"ed25519:WPZ1eK2V_pqYa3RB-lDD1C6Ik2y-zeJHCNrIv7y_kg0WYU_I3XrWVyyynL3X_xFoGZ_iv1F8z2aTRrcyMafcBg","receipt_type":"batch","batch_summary":{"total_conversations":0,"total_calls":2,"total_tokens":1920,"start_date":"2025-11-10T08:00:00+00:00","end_date":"2025-11-14T09:00:00+00:00","by_model":{"gpt-4o-mini":{"calls":2,"cost":0.30000000000000004,"tokens":1920}},"by_alias":{"summarizer":{"calls":2,"cost":0.30000000000000004,"tokens":1920}},"conversation_ids":[],"log_ids":["0b8f6a52-7f53-4d53-9a3e-2f8c1d9e4a10","6a1f7c31-5a0b-4a1e-8a49-7e4d2c9b8f22"]},"description":"Week 46 – Überblick","tags":["audit","q4"]}'
export const BATCH_SIGNED =
  '{"alias":"summarizer","completion_tokens":420,"input_cost":0,"lock_digest":"","model":"batch:2 calls","output_cost":0,"profile":"default","prompt_tokens":1500,"provider":"openai","receipt_id":"rcpt_5d1f0c9a7b3e4d62","timestamp":"2025-11-14T09:26:53.589793+00:00","total_cost":0.30000000000000004,"total_tokens":1920}'

/** One call, in a whole second. */
export const SINGLE =
  '{"receipt_id":"rcpt_00c4f1a92b7d4e58","timestamp":"2025-11-03T17:05:00Z","alias":"chat","profile":"prod","lock_digest":"sha256:9f86d081","provider":"anthropic","model":"claude-3-5-haiku-20241022","prompt_tokens":12,"completion_tokens":3,"total_tokens":15,"input_cost":9.6e-6,"output_cost":0.000012,"total_cost":0.0000216,"signature":"ed25519:lCx0p3PHEv-PmU7LnB0fA7hnUtvBtP2jE_-h9JBAd8grbeguvYrIMvsN3PhVTQZFzMPt_uxf9AotbwGJjcwnBA"}'
export const SINGLE_SIGNED =
  '{"alias":"chat","completion_tokens":3,"input_cost":0.0000096,"lock_digest":"sha256:9f86d081","model":"claude-3-5-haiku-20241022","output_cost":0.000012,"profile":"prod","prompt_tokens":12,"provider":"anthropic","receipt_id":"rcpt_00c4f1a92b7d4e58","timestamp":"2025-11-03T17:05:00+00:00","total_cost":0.0000216,"total_tokens":15}'
/** The same as that server gave it back out of its database: the zone was lost there. */
export const SINGLE_FETCHED = SINGLE.replace('17:05:00Z', '17:05:00')
